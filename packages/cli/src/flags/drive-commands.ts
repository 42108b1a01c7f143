import { type Command, Option } from "commander";
import type { DoctorFlags } from "../commands/doctor.ts";
import type { LoginFlags } from "../login/options.ts";
import { collect } from "./collect.ts";

const configFlag = "--config <FILE>";
const configText = "the rclone.conf to use (default rclone's own)";

/** Adds `overcoat login`, `overcoat remotes` and `overcoat doctor`. */
export function addDriveCommands(program: Command): void {
  program
    .command("login")
    .description("sign in to a drive, and keep it as a remote in rclone.conf, for rclone too")
    .argument("<DRIVE>", "onedrive, google-drive or dropbox")
    .argument("[NAME]", "what the remote is called (default the name of the drive)")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option(configFlag, configText)
    .option("--client-id <ID>", "of the application that you registered (or OVERCOAT_ONEDRIVE_CLIENT_ID, …)")
    .option(
      "--client-secret <SECRET>",
      "of that application, if it has one (or OVERCOAT_ONEDRIVE_CLIENT_SECRET, …)",
    )
    .addOption(
      new Option(
        "--method <METHOD>",
        "device (OneDrive's default), browser (Google Drive's), code to paste (Dropbox's)",
      ).choices(["device", "browser", "code"]),
    )
    .option("--redirect-port <PORT>", "where the browser comes back to, as it is registered (default 53682)")
    .option("--no-open", "only print the address, and do not open the browser")
    .option("--site <SITE>", "a SharePoint site whose library it is to be: its address, or words of its name")
    .option("--drive-id <ID>", "the OneDrive or library of this id")
    .option("--set <KEY=VALUE>", "a further key of the remote, as in rclone.conf, repeatable", collect)
    .action(async (drive: string, name: string | undefined, flags: LoginFlags) => {
      const { login } = await import("../commands/login.ts");
      await login(drive, name, flags);
    })
    .addHelpText("after", loginHelp);

  const remotes = program
    .command("remotes")
    .description("list the remotes of rclone.conf; test or remove one")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .enablePositionalOptions();
  remotes
    .command("list", { isDefault: true })
    .description("list them (this is the default)")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option(configFlag, configText)
    .option("--json", "as JSON")
    .action(async (flags: { config?: string; json?: boolean }) => {
      const { printRemotes } = await import("../commands/remotes.ts");
      await printRemotes(flags);
    });
  remotes
    .command("test")
    .description("see whether a remote can be reached, and what is at its top")
    .argument("<NAME>", "such as onedrive: or onedrive:some/folder")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option(configFlag, configText)
    .action(async (name: string, flags: { config?: string }) => {
      const { testRemote } = await import("../commands/remotes.ts");
      await testRemote(name, flags);
    });
  remotes
    .command("remove")
    .description("take a remote out of rclone.conf, with its sign-in; nothing in the drive changes")
    .argument("<NAME>")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option(configFlag, configText)
    .action(async (name: string, flags: { config?: string }) => {
      const { removeRemote } = await import("../commands/remotes.ts");
      await removeRemote(name, flags);
    });

  program
    .command("doctor")
    .description("walk through the checklist of a drive as S3: what works, and what is to be done")
    .argument("[REMOTE]", "such as onedrive: or onedrive:some/folder (or RC_S3_REMOTE)")
    .exitOverride()
    .helpOption("-h, --help", "print this help")
    .option("--endpoint <URL>", "a gateway that runs (default one that is started for the check)")
    .option(
      configFlag,
      "an overcoat.config.ts (default ./overcoat.config.ts where there is one), or an rclone.conf (default rclone's own)",
    )
    .option("--json", "as JSON, for CI")
    .action(async (remote: string | undefined, flags: DoctorFlags) => {
      const { doctor } = await import("../commands/doctor.ts");
      await doctor(remote, flags);
    })
    .addHelpText("after", doctorHelp);
}

const loginHelp = `
No client id ships with Overcoat: docs/onedrive.md, docs/google-drive.md and docs/dropbox.md tell how to register one.
Who signed in with "rclone config" needs none of this: its remotes are served as they are.

Examples:
  overcoat login onedrive --client-id ID
  overcoat login onedrive team --client-id ID --site "Data Science"
  overcoat login google-drive --client-id ID --client-secret SECRET --set team_drive=DRIVE_ID
  overcoat login dropbox --client-id APP_KEY`;

const doctorHelp = `
With --endpoint, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or RC_S3_ACCESS_KEY_ID and RC_S3_SECRET_ACCESS_KEY) are
the keys of the gateway. A small file goes up, comes back and is removed again.

Examples:
  overcoat doctor onedrive:
  overcoat doctor onedrive: --endpoint http://localhost:9000

Exit codes: 0 all is ticked, 1 something is to be done, 2 wrong usage.`;

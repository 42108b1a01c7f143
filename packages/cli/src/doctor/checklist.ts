import type { Examination } from "./examination.ts";

/** A task of the checklist, in its words, and how to see whether it is done. */
interface Task {
  readonly text: string;
  /** @returns what was seen @throws Error that says what to do */
  readonly check: () => Promise<string>;
}

interface Group {
  readonly title: string;
  readonly tasks: readonly Task[];
}

/** What became of a task. */
export interface Outcome {
  readonly group: string;
  readonly task: string;
  readonly done: boolean;
  /** What was seen, or what to do. */
  readonly detail: string;
}

/** The wrapper's checklist for a place. @param name of the remote, with its path */
export function checklist(name: string, title: string, examination: Examination): Group[] {
  const remote = name.replace(/:.*$/s, "");
  const { shown } = examination;
  return [
    {
      title: "Prepare rclone remote",
      tasks: [
        {
          text: `Create or update the \`${remote}\` remote with \`rclone config\`.`,
          check: () => examination.findRemote(),
        },
        {
          text: `Verify the remote by running \`rclone lsd ${name}\` and ensuring the expected root folders appear.`,
          check: () => examination.listFolders(),
        },
      ],
    },
    {
      title: "Expose storage as S3",
      tasks: [
        {
          text: `Choose either \`rclone serve s3\` or the MinIO gateway and launch it bound to \`${shown}\` (or your preferred host/port).`,
          check: () => examination.findGateway(),
        },
        {
          text: `Confirm the service is reachable with \`curl ${shown}\` (it should respond with an XML error body when unauthenticated).`,
          check: () => examination.reachGateway(),
        },
      ],
    },
    {
      title: "Configure credentials",
      tasks: [
        {
          text: "Set `AWS_ACCESS_KEY_ID`/`AWS_SECRET_ACCESS_KEY` (or the `--user`/`--pass` flags for rclone) for local development and CI environments.",
          check: () => examination.findKeys(),
        },
        {
          text: `Validate authentication by running \`aws --endpoint-url ${shown} s3 ls\` or the boto3 sample in the next section.`,
          check: () => examination.listBuckets(),
        },
      ],
    },
    {
      title: "Grant Dynamic AI access",
      tasks: [
        {
          text: "Update the Dynamic AI configuration to point storage operations to the wrapper endpoint.",
          check: () => examination.pointClients(),
        },
        {
          text: `Run a smoke test that uploads and downloads a small file; confirm the object appears inside ${title} via the web UI or \`rclone ls ${remote}:path\`.`,
          check: () => examination.moveFile(),
        },
      ],
    },
  ];
}

/** Goes through the tasks in their order. @param tell hears of each when it is settled */
export async function walk(groups: readonly Group[], tell: (outcome: Outcome) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { title, tasks } of groups)
    for (const { text, check } of tasks) {
      const outcome = await check().then(
        (detail) => ({ group: title, task: text, done: true, detail }),
        (error: Error) => ({ group: title, task: text, done: false, detail: error.message }),
      );
      outcomes.push(outcome);
      tell(outcome);
    }
  return outcomes;
}

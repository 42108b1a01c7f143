import { registerHooks } from "node:module";

/** `@/` is `apps/web`, as it is in the console and in the edge functions. */
registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier.startsWith("@/")
        ? new URL(`../web/${specifier.slice(2)}.ts`, import.meta.url).href
        : specifier,
      context,
    ),
});

/** Where providers send the browser back to. */
export const callbackPath = "/remotes/callback";

/** Of the form, on the page of remotes. */
export const signInId = "sign-in";

/** Where a remote is signed in to again. */
export const againPath = (name: string) => `/remotes?${new URLSearchParams({ again: name })}#${signInId}`;

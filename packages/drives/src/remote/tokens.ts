/** Where a vendor's client gets its access token. All requests share one refresh. */
export interface AccessTokens {
  /** A token that is good for some time still. @throws DriveError `Unauthenticated` when signing in anew is needed */
  get(): Promise<string>;
  /** Says that the vendor refused this token, so that `get` gives another one. */
  refused(token: string): void;
}

/** What PostgreSQL refused, or could not do. */
export class SqlFailure extends Error {
  /** The character of the text at which it went wrong, from 1. */
  readonly position: number | undefined;

  constructor(message: string, position?: number) {
    super(message);
    this.position = position;
  }
}

/** Asks the console's server. @throws SqlFailure */
export async function post<T>(route: "run" | "plan", body: object, signal: AbortSignal): Promise<T> {
  const response = await fetch(`/api/sql/${route}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (response.status === 401) throw new SqlFailure("The session is over: sign in again.");
  const answer = await response.json();
  if (!response.ok) throw new SqlFailure(answer.error, answer.position);
  return answer as T;
}

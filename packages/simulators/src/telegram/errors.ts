/** A refusal as the Bot API sends it: `{ ok: false, error_code, description, parameters }`. */
export class BotApiError extends Error {
  readonly status: number;
  readonly parameters: { readonly retry_after: number } | undefined;

  constructor(status: number, description: string, parameters?: { retry_after: number }) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }

  body() {
    return { ok: false, error_code: this.status, description: this.message, parameters: this.parameters };
  }
}

export const badRequest = (problem: string) => new BotApiError(400, `Bad Request: ${problem}`);

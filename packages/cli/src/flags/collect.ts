/** For flags that may be given again and again: all of their values. */
export const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value];

export function Logo() {
  return (
    <span className="flex items-center gap-2.5 font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className="size-7" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="fill-accent" />
        <path d="M9 25V13l4-6h6l4 6v12h-5l-2-9-2 9z" className="fill-accent-ink" />
      </svg>
      Overcoat
    </span>
  );
}

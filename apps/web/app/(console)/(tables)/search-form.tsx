import { Search } from "lucide-react";
import Form from "next/form";
import { Input } from "@/components/ui/field";

/** Searches a table by how a key begins: the service is asked for no more than that. */
export function SearchForm({ path, label, value }: { path: string; label: string; value: string }) {
  return (
    <Form action={path} role="search" className="relative w-full sm:w-72">
      <Search className="pointer-events-none absolute top-2.5 left-3 size-4 text-soft" aria-hidden="true" />
      <Input
        key={value}
        type="search"
        name="q"
        defaultValue={value}
        aria-label={label}
        placeholder={label}
        maxLength={320}
        className="pl-9"
      />
    </Form>
  );
}

/** What a page's address asks for. */
export async function searchOf(searchParams: Promise<{ q?: string | string[] }>): Promise<string> {
  const { q = "" } = await searchParams;
  return typeof q === "string" ? q : "";
}

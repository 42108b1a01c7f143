import { expect, test } from "vitest";
import { type Node, Tree } from "./tree.ts";

const fold = (name: string) => name.toLowerCase();
const names = (nodes: Iterable<Node<null>>) => [...nodes].map(({ name }) => name);

test("names that fold alike are one; items move, and go with what is in them", () => {
  const tree = new Tree("0", null, { now: () => 0, fold });
  const a = tree.add("1", tree.root, "a", true, null);
  const b = tree.add("2", a, "B", false, null);
  expect(tree.child(a, "b")).toBe(b);
  tree.add("3", a, "c", false, null);
  tree.add("4", a, "A", false, null);
  expect(names(tree.sorted(a))).toEqual(["A", "B", "c"]);
  tree.move(b, tree.root, "moved");
  expect(names(tree.sorted(a))).toEqual(["A", "c"]);
  expect(names(tree.below(tree.root))).toEqual(["root", "a", "c", "A", "moved"]);
  expect(names(tree.remove(a))).toEqual(["A", "c", "a"]);
  expect(tree.get("1")).toBeUndefined();
  expect(tree.size).toBe(2);
});

test("any names stand side by side where none folds", () => {
  const tree = new Tree("0", null, { now: () => 0 });
  tree.add("1", tree.root, "same", false, null);
  tree.add("2", tree.root, "same", false, null);
  expect(names(tree.sorted(tree.root))).toEqual(["same", "same"]);
});

test("the journal tells each item once, at its last change, and by time", () => {
  let now = 100;
  const tree = new Tree("0", null, { now: () => now, fold });
  const a = tree.add("1", tree.root, "a", false, null);
  tree.add("2", tree.root, "b", false, null);
  const before = tree.lastChange;
  now = 200;
  tree.touch(a);
  tree.touch(a);
  expect(names(tree.changed(0, 10))).toEqual(["root", "b", "a"]);
  expect(names(tree.changed(0, 2))).toEqual(["root", "b"]);
  expect(names(tree.changed(before, 10))).toEqual(["a"]);
  expect(tree.changeBy(150)).toBe(before);
  expect(tree.changeBy(50)).toBe(0);
  // It stays short however often things change.
  for (let count = 0; count < 5000; count += 1) tree.touch(a);
  expect(names(tree.changed(before, 10))).toEqual(["a"]);
  expect(names(tree.changed(0, 10))).toEqual(["root", "b", "a"]);
});

test("the journal forgets the oldest removals, and says up to where", () => {
  const tree = new Tree("0", null, { now: () => 0, fold, mostRemoved: 10 });
  for (let id = 1; id <= 30; id += 1) tree.remove(tree.add(String(id), tree.root, String(id), false, null));
  const removed = tree.changed(0, 100).filter(({ removed }) => removed);
  expect(removed.length).toBeGreaterThanOrEqual(10);
  expect(removed.length).toBeLessThanOrEqual(11);
  expect(tree.forgottenChange).toBe(removed[0]!.change - 2);
});

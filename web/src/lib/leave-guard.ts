/**
 * Asks before the page is left while bytes are on their way.
 *
 * @module
 */

/** Guards until the returned function is called. The browser shows a question of its own. */
export function guardLeaving(): () => void {
  const onLeave = (event: BeforeUnloadEvent): void => event.preventDefault();
  addEventListener("beforeunload", onLeave);
  return () => removeEventListener("beforeunload", onLeave);
}

/**
 * The one kind of error that stops the switch wherever it is thrown. Who catches what was thrown for one message asks for it.
 */

/**
 * A table or the journal is in a state that cannot be, so nothing that follows can be trusted (guarantee G9). Everything else
 * that is thrown for one message costs that message, or at most its connection (docs/decisions/0020-what-a-throw-costs.md).
 */
export class Inconsistent extends Error {
  override readonly name = "Inconsistent"
}

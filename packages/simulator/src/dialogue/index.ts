/**
 * Dialogues: conformance scripts of a link, one rule a file, run over real TCP against any system. The command of the command
 * line is in `DialogueCommand`, apart from the library.
 */

export { FileInvalid } from "../file/FileInvalid.ts"
// What others use; everything else stays in this folder.
export type { CardDatum } from "./Cover.ts"
export type { Dialogue, Partner, Step, SystemSettings } from "./Dialogue.ts"
export { readDialogues, readFolder } from "./DialogueFile.ts"
export { failureText, junitXml, outcomeLine, summaryText } from "./DialogueReport.ts"
export { runDialogues } from "./Folder.ts"
export { htmlReport } from "./HtmlReport.ts"
export { type Failure, type Outcome, type RunOptions, runDialogue, usualRun } from "./Runner.ts"
export { type Transcript, transcriptText } from "./Transcript.ts"

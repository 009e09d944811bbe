/**
 * What is wrong with a YAML text, in words for whoever wrote it: the parser's own are about its inner life, and repeat pieces of
 * the text. One table for every file that people write.
 */
import { coverTyped } from "../cover/Typed.ts"

/** What a parser found: its code for it, and its message. */
interface Wrong {
  readonly code: string
  readonly message: string
}

/** What is there, and what to write. */
export interface YamlWrong {
  readonly rule: string
  readonly fix: string
}

const noColon = [
  "the text is not YAML: a line without a colon is where a key is expected",
  "Put a colon and a space behind the key, and indent with spaces."
] as const

/** By the parser's code. */
const byCode: Readonly<Record<string, readonly [rule: string, fix: string]>> = {
  DUPLICATE_KEY: ["a key is given twice in one mapping", "Remove one of the two."],
  TAB_AS_INDENT: ["a tab indents this line", "Indent with spaces."],
  BAD_INDENT: [
    "the text is not YAML: a list or a mapping in brackets is not closed, or its lines are not indented",
    "Close each [ and {, and indent its lines further than the key in front of it."
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    "the text is not YAML: two keys are on one line",
    "Put the second key on a line of its own, or the value in quotes if it holds a colon and a space."
  ],
  MULTILINE_IMPLICIT_KEY: noColon,
  MULTIPLE_DOCS: ["the file holds more than one YAML document", "Remove the line `---` and what follows it."],
  NON_STRING_KEY: ["a list or a mapping is where a key is expected", "Write a name in front of the colon."],
  BAD_ALIAS: ["an alias (*) has no name", "Put the value in quotes, or name an anchor (&) that is above it."],
  BAD_DQ_ESCAPE: [
    "a backslash in a text in double quotes begins no character that YAML knows",
    "Write the text in single quotes."
  ],
  TAG_RESOLVE_FAILED: [
    "a word behind ! is a tag, and none is known here",
    "Put the value in quotes, or remove the tag."
  ],
  BAD_SCALAR_START: ["a value begins with a character that means something else in YAML", "Put the value in quotes."]
}

/** By the parser's message, where one code is for many things. */
const byMessage: ReadonlyArray<readonly [message: RegExp, rule: string, fix: string]> = [
  [
    /^The text is UTF-16/,
    "the text is UTF-16 or UTF-32, and UTF-8 is expected",
    "Save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`; in PowerShell `Out-File -Encoding utf8`)."
  ],
  [/^The text has bytes of zero/, "this is no text: it holds bytes of zero", "Name the YAML file itself."],
  [
    /^The text is not UTF-8/,
    "these bytes are no UTF-8: the text is in another encoding, such as GBK, or the file is no text",
    "Save it as UTF-8 (for GBK: `iconv -f GBK -t UTF-8`), or name the YAML file itself."
  ],
  [/^Missing closing/, "a quotation mark is not closed", "Close it where the text ends."],
  [
    /^All (?:sequence|mapping) items|^Sequence item without/,
    "the text is not YAML: lines that belong together begin at different columns",
    "Indent the keys of one mapping alike, and the entries of one list; each of these begins with `- `."
  ],
  [/^Implicit map keys/, ...noColon],
  [
    /^Comments must/,
    "the text is not YAML: a # is behind other text",
    "Put a space in front of #, or the value in quotes."
  ],
  [
    /^Missing space after :|separated from the next/,
    "the text is not YAML: a space is missing",
    "Put the value in quotes."
  ],
  [
    /^Missing ,/,
    "a comma is missing between two entries in brackets",
    "Put one there, or close the bracket in front of it."
  ],
  [/^Unexpected ,|empty item/, "a comma is where an entry is expected", "Remove it."],
  [
    /^Unexpected|^Expected|^Block scalar header|^Block collections are not/,
    "the text is not YAML: something follows that belongs to no value",
    "Close what is open, put the value in quotes, or the rest on a line of its own."
  ]
]

/** The fix as the end of a sentence that says the rule first. */
export const fixBehind = ({ fix }: YamlWrong): string => `${fix[0]!.toLowerCase()}${fix.slice(1).replace(/\.$/, "")}`

/** Says what the parser found. Nothing of the text is in it that may be card data. */
export const yamlWrong = ({ code, message }: Wrong): YamlWrong => {
  const own = byMessage.find(([pattern]) => pattern.test(message))
  const known = own === undefined ? byCode[code] : ([own[1], own[2]] as const)
  const [rule, fix] = known ?? [
    `the text is not YAML: ${coverTyped(message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, ""))}`,
    "Indent with spaces, and put a space behind each colon."
  ]
  return { rule, fix }
}

/** What a file that cannot be used is, in words instead of a system's code. Pure. */

const words: Readonly<Record<string, string>> = {
  NotFound: "there is no such file",
  BadResource: "it is a directory",
  AlreadyExists: "it is a file and not a directory",
  PermissionDenied: "this user has no right to it"
}

const tags: Readonly<Record<string, string>> = {
  ENOENT: "NotFound",
  ENOTDIR: "NotFound",
  EISDIR: "BadResource",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied"
}

/** Why a file cannot be read or written, by the tag of the platform's error. */
export const fileWords = ({ _tag }: { readonly _tag: string }): string => words[_tag] ?? `the system says ${_tag}`

/** The same by the system's own code. */
export const fileWordsOfCode = (code = ""): string => fileWords({ _tag: tags[code] ?? code })

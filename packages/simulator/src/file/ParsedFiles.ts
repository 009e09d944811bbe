/** YAML files that are parsed once although many name them: the openings and messages of dialogues, for each case of a table. */
import { parseYaml, type YamlMap } from "./YamlNodes.ts"

/** What was parsed so far, by file. A file whose text is another one by now is parsed again. */
export class ParsedFiles {
  private readonly files = new Map<string, { readonly text: string; readonly yaml: YamlMap }>()

  /** The file's map; throws `FileInvalid` as `parseYaml` does. */
  of(file: string, text: string): YamlMap {
    const before = this.files.get(file)
    if (before?.text === text) return before.yaml
    const yaml = parseYaml(file, text)
    this.files.set(file, { text, yaml })
    return yaml
  }
}

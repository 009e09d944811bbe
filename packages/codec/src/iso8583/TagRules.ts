/**
 * The tags of a BER-TLV field as its dialect knows them: those of EMV, and those that the dialect adds or covers more.
 */
import { type EmvTag, emvTags, type TlvSensitivity } from "../tlv/EmvTags.ts"
import { emvTagRules, type TagRules } from "../tlv/TlvRedaction.ts"
import type { BerTlvStructure, PartDefinition, Structure } from "./Structure.ts"

/** A tag that is listed without a word about its covering has a name, and stays covered. */
const tlvSensitivity = ({ sensitivity }: PartDefinition): TlvSensitivity =>
  sensitivity === "none" || sensitivity === "sad" ? sensitivity : "pan"

/** Rules for the tags of a structure; those of EMV where it is none or adds nothing. */
export const tagRulesOf = (structure: Structure | undefined): TagRules => {
  if (structure?.style !== "ber-tlv" || structure.tags === undefined) return emvTagRules
  const own = Object.entries(structure.tags).map(
    ([tag, part]) =>
      [
        Number.parseInt(tag, 16),
        { sensitivity: tlvSensitivity(part), format: emvTags.get(tag)?.format ?? ("b" as const) }
      ] as const
  )
  return new Map([...emvTagRules, ...own])
}

/** What a tag is called: by the structure, otherwise by EMV. */
export const tagNamed = ({ tags }: BerTlvStructure, tag: string): Pick<EmvTag, "name"> & { readonly nameZh?: string } =>
  (tags !== undefined && Object.hasOwn(tags, tag) ? tags[tag] : undefined) ?? emvTags.get(tag) ?? { name: "" }

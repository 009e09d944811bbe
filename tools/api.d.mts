/** The generated pages by their names. */
export declare const pages: Readonly<Record<"switch.md" | "simulator.md", () => string>>

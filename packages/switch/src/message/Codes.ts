/** Response codes that every dialect has and that differ only by the standard's version. Pure. */
import type { Dialect } from "@jinka/codec"

const approvedByVersion = ["00", "000", "0000"] as const
const acceptedByVersion = ["00", "800", "0800"] as const

/** "Approved" of ISO 8583:1987, 1993 (action code 000) and 2003 (0000). */
export const approved = (dialect: Dialect): string => approvedByVersion[dialect.version]

/** "Accepted" of network management: 00 in 1987, action codes 800 and 0800 later. */
export const accepted = (dialect: Dialect): string => acceptedByVersion[dialect.version]

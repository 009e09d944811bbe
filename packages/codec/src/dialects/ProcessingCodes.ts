/**
 * What processing codes (DE 3) mean: positions 1-2 the transaction, 3-4 and 5-6 the types of the accounts that money goes from
 * and to. The common codes are those on which the public tables of processors agree (Galileo's API reference on DE 003, Thredd's
 * "Processing Codes", both read in November 2026); those of CUPS are docs/domain.md 1.6.
 */
import type { Named } from "../iso8583/Dialect.ts"

/** Transactions as most networks name them, by positions 1-2. */
export const processingCodes: { readonly [code: string]: Named } = {
  "00": { name: "purchase", nameZh: "消费" },
  "01": { name: "cash withdrawal", nameZh: "取款" },
  "02": { name: "adjustment, debit", nameZh: "借记调整" },
  "09": { name: "purchase with cash back", nameZh: "消费并取现" },
  "11": { name: "quasi cash", nameZh: "准现金" },
  "20": { name: "refund", nameZh: "退货" },
  "21": { name: "deposit", nameZh: "存款" },
  "22": { name: "adjustment, credit", nameZh: "贷记调整" },
  "30": { name: "available funds inquiry", nameZh: "可用余额查询" },
  "31": { name: "balance inquiry", nameZh: "余额查询" },
  "40": { name: "transfer", nameZh: "转账" },
  "50": { name: "payment", nameZh: "缴费" }
}

/** Transactions of CUPS and of its terminals; whether 20 takes back a purchase or refunds one, MTI and DE 25 say. */
export const processingCodesCups: { readonly [code: string]: Named } = {
  "00": { name: "purchase, or completion of a pre-authorization", nameZh: "消费、预授权完成" },
  "01": { name: "cash withdrawal", nameZh: "取款" },
  "03": { name: "pre-authorization", nameZh: "预授权" },
  "20": { name: "void or refund", nameZh: "撤销、退货" },
  "30": { name: "balance inquiry", nameZh: "余额查询" },
  "31": { name: "balance inquiry", nameZh: "余额查询" },
  "60": { name: "load from the designated account", nameZh: "指定账户圈存" },
  "62": { name: "load from another account", nameZh: "非指定账户圈存" },
  "63": { name: "load with cash", nameZh: "现金圈存" }
}

/** Types of accounts, by positions 3-4 or 5-6; 00 says nothing. */
export const accountTypes: { readonly [code: string]: Named } = {
  "10": { name: "savings account", nameZh: "储蓄账户" },
  "20": { name: "cheque account", nameZh: "支票账户" },
  "30": { name: "credit account", nameZh: "信用账户" },
  "40": { name: "universal account", nameZh: "通用账户" },
  "50": { name: "investment account", nameZh: "投资账户" }
}

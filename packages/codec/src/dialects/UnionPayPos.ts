/**
 * The UnionPay terminal (POS) interface: TPDU and 6-byte header, packed decimal, 64 bits of bitmap. DE 22 is to the left
 * of its two bytes, DE 23 to the right, odd variable fields to the left, filled with 0 (`test/fixtures/codec-packed.json`, after
 * the samples of `codec-messages.json`). Public samples differ in DE 46, 47, 56 and 57: their definitions here take all of them.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { cupsPin } from "./CupsParts.ts"
import { tpdu6 } from "./Headers.ts"
import { posSignOns } from "./KeyExchanges.ts"
import { accountTypes, processingCodesCups } from "./ProcessingCodes.ts"
import { responseCodesCups } from "./ResponseCodes.ts"

/** Fields of the terminal interface. */
const fields: Dialect["fields"] = {
  2: { format: "n..19", name: "Primary account number (PAN)", nameZh: "主账号", sensitivity: "pan" },
  3: { format: "n6", name: "Processing code", nameZh: "交易处理码" },
  4: { format: "n12", name: "Amount, transaction", nameZh: "交易金额" },
  11: { format: "n6", name: "System trace audit number (STAN)", nameZh: "系统跟踪号" },
  12: { format: "n6", name: "Time, local transaction", nameZh: "受卡方所在地时间" },
  13: { format: "n4", name: "Date, local transaction", nameZh: "受卡方所在地日期" },
  14: { format: "n4", name: "Date, expiration", nameZh: "卡有效期", sensitivity: "hidden" },
  15: { format: "n4", name: "Date, settlement", nameZh: "清算日期" },
  22: { format: "n3", name: "Point of service entry mode", nameZh: "服务点输入方式码", align: "left" },
  23: { format: "n3", name: "Card sequence number", nameZh: "卡片序列号", align: "right" },
  25: { format: "n2", name: "Point of service condition code", nameZh: "服务点条件码" },
  26: { format: "n2", name: "Point of service PIN capture code", nameZh: "服务点PIN获取码" },
  32: { format: "n..11", name: "Acquiring institution identification code", nameZh: "受理(代理)机构标识码" },
  35: { format: "z..37", name: "Track 2 data", nameZh: "第二磁道数据", sensitivity: "sad" },
  36: { format: "z...104", name: "Track 3 data", nameZh: "第三磁道数据", sensitivity: "sad" },
  37: { format: "an12", name: "Retrieval reference number (RRN)", nameZh: "检索参考号" },
  38: { format: "an6", name: "Authorization identification response", nameZh: "授权标识应答码" },
  39: { format: "an2", name: "Response code", nameZh: "应答码" },
  41: { format: "ans8", name: "Card acceptor terminal identification", nameZh: "受卡机终端标识码" },
  42: { format: "ans15", name: "Card acceptor identification code", nameZh: "受卡方标识码(商户号)" },
  43: { format: "ans40", name: "Card acceptor name/location", nameZh: "受卡方名称地址", encoding: "gbk" },
  44: { format: "ans..25", name: "Additional response data", nameZh: "附加响应数据" },
  46: { format: "ans...999", name: "Additional data - ISO", nameZh: "附加数据-ISO" },
  47: { format: "b...999", name: "Additional data - national", nameZh: "附加数据-国家" },
  // 322 digits are 2 of a count and 8 details of 40, of which 20 are a card number: the upload of a batch.
  48: { format: "n...322", name: "Additional data - private", nameZh: "附加数据-私有", sensitivity: "hidden" },
  49: { format: "an3", name: "Currency code, transaction", nameZh: "交易货币代码" },
  52: { format: "b8", name: "PIN data", nameZh: "个人标识码数据", sensitivity: "sad" },
  53: { format: "n16", name: "Security related control information", nameZh: "安全控制信息" },
  54: { format: "an...20", name: "Additional amounts", nameZh: "附加金额(余额)" },
  55: { format: "b...255", name: "Reserved ISO (EMV data)", nameZh: "IC卡数据域", sensitivity: "emv" },
  56: { format: "ans...999", name: "Reserved ISO", nameZh: "附加信息", encoding: "gbk" },
  57: { format: "ans...999", name: "Reserved national", nameZh: "附加交易信息", encoding: "gbk" },
  58: { format: "ans...100", name: "Reserved national", nameZh: "PBOC电子钱包标准交易信息" },
  59: { format: "ans...600", name: "Reserved national", nameZh: "明细查询数据" },
  60: {
    format: "n...17",
    name: "Reserved private",
    nameZh: "自定义域",
    sensitivity: "none",
    reason: "kind of transaction, batch number and network management code",
    subfields: [
      { name: "kind of transaction", nameZh: "交易类型码", length: 2 },
      { name: "batch number", nameZh: "批次号", length: 6 },
      { name: "network management code", nameZh: "网络管理信息码", length: 3 },
      { name: "terminal and card", nameZh: "终端读取能力、IC卡条件等", length: 6 }
    ]
  },
  61: { format: "n...29", name: "Reserved private", nameZh: "原始信息域" },
  62: { format: "b...512", name: "Reserved private", nameZh: "终端密钥、参数", sensitivity: "sad" },
  63: { format: "ansb...163", name: "Reserved private", nameZh: "金融网络数据", sensitivity: "sad" },
  64: { format: "b8", name: "Message authentication code (MAC)", nameZh: "报文鉴别码" }
}

/**
 * The UnionPay terminal interface. Network management codes are inside DE 60 (60.3) and the batch in 60.2; a reversal keeps
 * the original's STAN and is told apart by its message type, so keys are compared within a message class.
 */
export const unionPayPos: Dialect = {
  name: "unionPayPos",
  title: "UnionPay terminal interface, TPDU and 6-byte header, packed decimal",
  version: 0,
  header: tpdu6,
  mti: "bcd",
  bitmap: { encoding: "binary", secondary: "never" },
  encodings: { digits: "bcd", text: "ascii", track: "bcd", bytes: "binary", prefix: "bcd", align: "right", fill: 0 },
  fields,
  keyExchange: posSignOns,
  match: { transaction: [11, 41, 42], networkManagement: [11, 41, 42] },
  echo: [2, 3, 11, 25, 41, 42, 49],
  adviceNeeds: [14],
  answers: { keeps: [2, 3, 4, 11, 12, 13, 15, 23, 25, 32, 37, 38, 41, 42, 49, 60], givenAgain: [15, 37, 38, 39] },
  // DE 64 as the terminal rule has it: the fold over all that is before it, its first four bytes as characters.
  security: {
    mac: { field: 64, messages: [100, 200, 220, 400], text: "message", fields: [], form: "hex", bytes: 4 },
    pin: cupsPin
  },
  // 25: no such original, so there is nothing to reverse. 94: seen before.
  acknowledged: { reversal: ["25", "94"], advice: ["94"] },
  responseCodes: responseCodesCups,
  processingCodes: processingCodesCups,
  accountTypes,
  refusal: {
    formatError: "30",
    issuerDown: "91",
    noRoute: "92",
    duplicate: "94",
    malfunction: "96",
    noAnswer: "98",
    notSignedOn: "77",
    macFailed: "A0",
    pinFailed: "99",
    keyFailed: "A7",
    cutOver: "90",
    identity: "63"
  }
}

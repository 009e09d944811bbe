/**
 * The UnionPay CUPS centre interface: ASCII text, 16 bytes of bitmap in every message, DE 52, 55 and 96 as raw bytes, the
 * 46-byte header in front. Facts of public sources only (docs/domain.md 1.3-1.9, 1.13-1.14); what no public source says is a
 * default to be set by configuration.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { cupsMacFields } from "../security/CupsMac.ts"
import {
  cupsF48,
  cupsF56,
  cupsF57,
  cupsF59,
  cupsF60,
  cupsF61,
  cupsF62,
  cupsF63,
  cupsF121,
  cupsF122,
  cupsPin,
  cupsUsages
} from "./CupsParts.ts"
import { cups46 } from "./Headers.ts"
import { cupsReset } from "./KeyExchanges.ts"
import { accountTypes, processingCodesCups } from "./ProcessingCodes.ts"
import { totalsCups } from "./Reconciliations.ts"
import { responseCodesCups } from "./ResponseCodes.ts"

/** Fields of the centre interface. */
const fields: Dialect["fields"] = {
  2: { format: "n..19", name: "Primary account number (PAN)", nameZh: "主账号", sensitivity: "pan" },
  3: { format: "n6", name: "Processing code", nameZh: "交易处理码" },
  4: { format: "n12", name: "Amount, transaction", nameZh: "交易金额" },
  5: { format: "n12", name: "Amount, settlement", nameZh: "清算金额" },
  6: { format: "n12", name: "Amount, cardholder billing", nameZh: "持卡人扣账金额" },
  7: { format: "n10", name: "Transmission date and time", nameZh: "交易传输时间" },
  9: { format: "n8", name: "Conversion rate, settlement", nameZh: "清算汇率" },
  10: { format: "n8", name: "Conversion rate, cardholder billing", nameZh: "持卡人扣账汇率" },
  11: { format: "n6", name: "System trace audit number (STAN)", nameZh: "系统跟踪号" },
  12: { format: "n6", name: "Time, local transaction", nameZh: "受卡方所在地时间" },
  13: { format: "n4", name: "Date, local transaction", nameZh: "受卡方所在地日期" },
  14: { format: "n4", name: "Date, expiration", nameZh: "卡有效期", sensitivity: "hidden" },
  15: { format: "n4", name: "Date, settlement", nameZh: "清算日期" },
  16: { format: "n4", name: "Date, conversion", nameZh: "兑换日期" },
  18: { format: "n4", name: "Merchant's type (MCC)", nameZh: "商户类型" },
  19: { format: "n3", name: "Acquiring institution country code", nameZh: "商户/受理机构国家代码" },
  22: { format: "n3", name: "Point of service entry mode", nameZh: "服务点输入方式码" },
  23: { format: "n3", name: "Card sequence number", nameZh: "卡片序列号" },
  25: { format: "n2", name: "Point of service condition code", nameZh: "服务点条件码" },
  26: { format: "n2", name: "Point of service PIN capture code", nameZh: "服务点PIN获取码" },
  28: { format: "x+n8", name: "Amount, transaction fee", nameZh: "交易费" },
  32: { format: "n..11", name: "Acquiring institution identification code", nameZh: "受理(代理)机构标识码" },
  33: { format: "n..11", name: "Forwarding institution identification code", nameZh: "发送机构标识码" },
  35: { format: "z..37", name: "Track 2 data", nameZh: "第二磁道数据", sensitivity: "sad" },
  36: { format: "z...104", name: "Track 3 data", nameZh: "第三磁道数据", sensitivity: "sad" },
  37: { format: "an12", name: "Retrieval reference number (RRN)", nameZh: "检索参考号" },
  38: { format: "an6", name: "Authorization identification response", nameZh: "授权标识应答码" },
  39: { format: "an2", name: "Response code", nameZh: "应答码" },
  41: { format: "ans8", name: "Card acceptor terminal identification", nameZh: "受卡机终端标识码" },
  42: { format: "ans15", name: "Card acceptor identification code", nameZh: "受卡方标识码(商户号)" },
  43: { format: "ans40", name: "Card acceptor name/location", nameZh: "受卡方名称地址", encoding: "gbk" },
  44: { format: "ans..25", name: "Additional response data", nameZh: "附加响应数据" },
  45: { format: "ans..79", name: "Track 1 data", nameZh: "第一磁道数据", sensitivity: "sad" },
  48: {
    format: "ansb...512",
    name: "Additional data - private",
    nameZh: "附加数据-私有",
    sensitivity: "hidden",
    structure: cupsF48
  },
  49: { format: "an3", name: "Currency code, transaction", nameZh: "交易货币代码" },
  50: { format: "an3", name: "Currency code, settlement", nameZh: "清算货币代码" },
  51: { format: "an3", name: "Currency code, cardholder billing", nameZh: "持卡人账户货币代码" },
  52: { format: "b8", name: "PIN data", nameZh: "个人标识码数据", sensitivity: "sad" },
  53: {
    format: "n16",
    name: "Security related control information",
    nameZh: "安全控制信息",
    subfields: [
      { name: "PIN format, or kind of key", length: 1 },
      { name: "algorithm", length: 1 },
      { name: "reserved", length: 14 }
    ]
  },
  54: {
    format: "an...40",
    name: "Additional amounts",
    nameZh: "附加金额(余额)",
    subfields: [
      { name: "account type", length: 2 },
      { name: "amount type", length: 2 },
      { name: "currency", length: 3 },
      { name: "sign", length: 1 },
      { name: "amount", length: 12 },
      { name: "account type 2", length: 2 },
      { name: "amount type 2", length: 2 },
      { name: "currency 2", length: 3 },
      { name: "sign 2", length: 1 },
      { name: "amount 2", length: 12 }
    ]
  },
  55: { format: "b...255", name: "Reserved ISO (EMV data)", nameZh: "IC卡数据域", sensitivity: "emv" },
  56: { format: "ansb...512", name: "Reserved ISO", nameZh: "附加信息", structure: cupsF56 },
  57: { format: "ans...100", name: "Reserved national", nameZh: "附加交易信息", structure: cupsF57 },
  58: { format: "ans...100", name: "Reserved national", nameZh: "PBOC电子钱包标准交易信息" },
  59: { format: "ans...600", name: "Reserved national", nameZh: "明细查询数据", structure: cupsF59 },
  60: {
    format: "ans...100",
    name: "Reserved private",
    nameZh: "自定义域(交易附加)",
    sensitivity: "none",
    reason: "its public layout is codes and flags of the transaction",
    structure: cupsF60
  },
  61: {
    format: "ans...200",
    name: "Reserved private",
    nameZh: "持卡人身份认证信息",
    sensitivity: "sad",
    structure: cupsF61
  },
  62: { format: "ansb...200", name: "Reserved private", nameZh: "交换中心数据", structure: cupsF62 },
  63: {
    format: "ansb...512",
    name: "Reserved private",
    nameZh: "金融网络数据",
    sensitivity: "sad",
    structure: cupsF63
  },
  66: { format: "n1", name: "Settlement code", nameZh: "结算代码" },
  70: { format: "n3", name: "Network management information code", nameZh: "网络管理信息码" },
  74: { format: "n10", name: "Credits, number", nameZh: "贷记笔数" },
  75: { format: "n10", name: "Credits, reversal number", nameZh: "贷记冲正笔数" },
  76: { format: "n10", name: "Debits, number", nameZh: "借记笔数" },
  77: { format: "n10", name: "Debits, reversal number", nameZh: "借记冲正笔数" },
  78: { format: "n10", name: "Transfer, number", nameZh: "转账笔数" },
  79: { format: "n10", name: "Transfer, reversal number", nameZh: "转账冲正笔数" },
  80: { format: "n10", name: "Inquiries, number", nameZh: "查询笔数" },
  81: { format: "n10", name: "Authorizations, number", nameZh: "授权笔数" },
  82: { format: "n12", name: "Credits, processing fee amount", nameZh: "贷记服务费金额" },
  84: { format: "n12", name: "Debits, processing fee amount", nameZh: "借记服务费金额" },
  86: { format: "n16", name: "Credits, amount", nameZh: "贷记金额" },
  87: { format: "n16", name: "Credits, reversal amount", nameZh: "贷记冲正金额" },
  88: { format: "n16", name: "Debits, amount", nameZh: "借记金额" },
  89: { format: "n16", name: "Debits, reversal amount", nameZh: "借记冲正金额" },
  90: {
    format: "n42",
    name: "Original data elements",
    nameZh: "原始数据元",
    subfields: [
      { name: "original message type", length: 4 },
      { name: "original STAN", length: 6 },
      { name: "original transmission time", length: 10 },
      { name: "original acquirer", length: 11 },
      { name: "original forwarder", length: 11 }
    ]
  },
  95: { format: "an42", name: "Replacement amounts", nameZh: "替换金额" },
  96: { format: "b8", name: "Message security code", nameZh: "报文安全码", sensitivity: "sad" },
  97: { format: "x+n16", name: "Amount, net settlement", nameZh: "净清算额" },
  99: { format: "n..11", name: "Settlement institution identification code", nameZh: "清算机构标识码" },
  100: { format: "n..11", name: "Receiving institution identification code", nameZh: "接收机构标识码" },
  102: { format: "ans..28", name: "Account identification 1", nameZh: "账户标识1", sensitivity: "pan" },
  103: { format: "ans..28", name: "Account identification 2", nameZh: "账户标识2", sensitivity: "pan" },
  104: {
    format: "ansb...512",
    name: "Transaction description",
    nameZh: "交易描述/附加信息",
    sensitivity: "hidden",
    structure: cupsUsages
  },
  113: { format: "ansb...512", name: "Reserved for national use", nameZh: "附加信息", structure: cupsUsages },
  116: { format: "ansb...512", name: "Reserved for national use", nameZh: "附加信息", structure: cupsUsages },
  117: { format: "ansb...256", name: "Reserved for national use", nameZh: "附加信息", structure: cupsUsages },
  121: {
    format: "ansb...100",
    name: "Reserved for private use",
    nameZh: "银联处理中心保留",
    structure: cupsF121
  },
  122: {
    format: "ans...100",
    name: "Reserved for private use",
    nameZh: "受理方保留",
    structure: cupsF122
  },
  123: { format: "ans...512", name: "Reserved for private use", nameZh: "发卡方保留" },
  125: { format: "ansb...256", name: "Reserved for private use", nameZh: "附加信息", structure: cupsUsages },
  126: { format: "ansb...256", name: "Reserved for private use", nameZh: "附加信息", structure: cupsUsages },
  128: { format: "an8", name: "MAC, secondary", nameZh: "报文鉴别码" }
}

/** The CUPS centre interface. */
export const cups: Dialect = {
  name: "cups",
  title: "UnionPay CUPS centre, 46-byte header",
  version: 0,
  header: cups46,
  mti: "ascii",
  bitmap: { encoding: "binary", secondary: "always" },
  encodings: {
    digits: "ascii",
    text: "ascii",
    track: "ascii",
    bytes: "binary",
    prefix: "ascii",
    align: "right",
    fill: 0
  },
  fields,
  network: {
    mti: 820,
    field: 70,
    codes: {
      signOn: "001",
      signOff: "002",
      cutoverStart: "201",
      cutoverEnd: "202",
      echo: "301",
      keyResetRequest: "101",
      keyReset: "101"
    },
    fields: [7, 11, 33]
  },
  keyExchange: [cupsReset],
  reconciliation: totalsCups,
  match: { transaction: [7, 11, 32, 33], networkManagement: [7, 11, 70] },
  // DE 4 may change in an answer (partial approval, code 10).
  echo: [2, 3, 7, 11, 12, 13, 18, 25, 32, 33, 37, 41, 42, 49],
  reversal: {
    mti: 420,
    copies: [2, 3, 4, 12, 13, 18, 22, 23, 25, 32, 33, 37, 38, 41, 42, 43, 49, 53, 55, 60],
    renews: [7, 11, 33],
    originalData: {
      field: 90,
      parts: [
        { de: 0, digits: 4 },
        { de: 11, digits: 6 },
        { de: 7, digits: 10 },
        { de: 32, digits: 11 },
        { de: 33, digits: 11 }
      ]
    },
    // Replacement amounts: the actual amount of the transaction comes first.
    partial: { remains: 95 },
    reversible: [
      { mti: 100, processingCodes: ["03", "20"] },
      { mti: 200, processingCodes: ["00", "01", "20", "60", "62", "63"] }
    ]
  },
  // What else is private stays in memory: a partner that needs more of an advice gets a dialect that says so.
  adviceNeeds: [14, 48],
  // What identifies a message, and the amounts and currencies that partners check: the response columns of the CUPS field matrix
  // (Q/CUP 006.2-2009). Never track, PIN or chip data.
  answers: {
    keeps: [2, 3, 4, 7, 11, 12, 13, 15, 18, 23, 25, 32, 33, 37, 38, 41, 42, 43, 49, 60, 70, 90, 100],
    givenAgain: [15, 37, 38, 39]
  },
  // DE 128 as a published acquirer makes and checks it: not in 0620 and 0630, nor in network management but the answer to a key.
  security: {
    mac: { field: 128, messages: [100, 200, 220, 420], text: "cups", fields: cupsMacFields, form: "hex", bytes: 4 },
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
    // No public source names the code for an institution that has not signed on.
    notSignedOn: "91",
    macFailed: "A0",
    pinFailed: "99",
    keyFailed: "A7",
    cutOver: "90",
    identity: "63"
  }
}

/**
 * ISO 8583:1987 as it travels on ASCII links: everything in ASCII, bitmaps and b fields as hex digits; and the same with raw
 * bytes for them, which most hosts speak. Lengths: domain.md 1.8 column (a), where jPOS ISO87A, moov and pyiso8583 agree
 * except where noted there.
 */

import { derive } from "../iso8583/Derive.ts"
import type { Dialect } from "../iso8583/Dialect.ts"
import { tpdu5 } from "./Headers.ts"
import { accountTypes, processingCodes } from "./ProcessingCodes.ts"
import { responseCodes1987 } from "./ResponseCodes.ts"

/** Fields 2..128 of the 1987 edition. */
const fields: Dialect["fields"] = {
  2: { format: "n..19", name: "Primary account number (PAN)", nameZh: "主账号", sensitivity: "pan" },
  3: { format: "n6", name: "Processing code", nameZh: "交易处理码" },
  4: { format: "n12", name: "Amount, transaction", nameZh: "交易金额" },
  5: { format: "n12", name: "Amount, settlement", nameZh: "清算金额" },
  6: { format: "n12", name: "Amount, cardholder billing", nameZh: "持卡人扣账金额" },
  7: { format: "n10", name: "Transmission date and time", nameZh: "交易传输时间" },
  8: { format: "n8", name: "Amount, cardholder billing fee", nameZh: "持卡人扣账费用金额" },
  9: { format: "n8", name: "Conversion rate, settlement", nameZh: "清算汇率" },
  10: { format: "n8", name: "Conversion rate, cardholder billing", nameZh: "持卡人扣账汇率" },
  11: { format: "n6", name: "System trace audit number (STAN)", nameZh: "系统跟踪号" },
  12: { format: "n6", name: "Time, local transaction", nameZh: "受卡方所在地时间" },
  13: { format: "n4", name: "Date, local transaction", nameZh: "受卡方所在地日期" },
  14: { format: "n4", name: "Date, expiration", nameZh: "卡有效期", sensitivity: "hidden" },
  15: { format: "n4", name: "Date, settlement", nameZh: "清算日期" },
  16: { format: "n4", name: "Date, conversion", nameZh: "兑换日期" },
  17: { format: "n4", name: "Date, capture", nameZh: "受理日期" },
  18: { format: "n4", name: "Merchant's type (MCC)", nameZh: "商户类型" },
  19: { format: "n3", name: "Acquiring institution country code", nameZh: "商户/受理机构国家代码" },
  20: { format: "n3", name: "PAN extended, country code", nameZh: "主账号扩展国家代码" },
  21: { format: "n3", name: "Forwarding institution country code", nameZh: "发送机构国家代码" },
  22: { format: "n3", name: "Point of service entry mode", nameZh: "服务点输入方式码" },
  23: { format: "n3", name: "Card sequence number", nameZh: "卡片序列号" },
  24: { format: "n3", name: "Network international identifier (NII)", nameZh: "国际网络标识" },
  25: { format: "n2", name: "Point of service condition code", nameZh: "服务点条件码" },
  26: { format: "n2", name: "Point of service PIN capture code", nameZh: "服务点PIN获取码" },
  27: { format: "n1", name: "Authorization identification response length", nameZh: "授权标识应答长度" },
  28: { format: "x+n8", name: "Amount, transaction fee", nameZh: "交易费" },
  29: { format: "x+n8", name: "Amount, settlement fee", nameZh: "清算费" },
  30: { format: "x+n8", name: "Amount, transaction processing fee", nameZh: "交易处理费" },
  31: { format: "x+n8", name: "Amount, settlement processing fee", nameZh: "清算处理费" },
  32: { format: "n..11", name: "Acquiring institution identification code", nameZh: "受理(代理)机构标识码" },
  33: { format: "n..11", name: "Forwarding institution identification code", nameZh: "发送机构标识码" },
  34: { format: "ns..28", name: "PAN, extended", nameZh: "扩展主账号", sensitivity: "pan" },
  35: { format: "z..37", name: "Track 2 data", nameZh: "第二磁道数据", sensitivity: "sad" },
  36: { format: "z...104", name: "Track 3 data", nameZh: "第三磁道数据", sensitivity: "sad" },
  37: { format: "an12", name: "Retrieval reference number (RRN)", nameZh: "检索参考号" },
  38: { format: "an6", name: "Authorization identification response", nameZh: "授权标识应答码" },
  39: { format: "an2", name: "Response code", nameZh: "应答码" },
  40: { format: "an3", name: "Service restriction code", nameZh: "服务限制码" },
  41: { format: "ans8", name: "Card acceptor terminal identification", nameZh: "受卡机终端标识码" },
  42: { format: "ans15", name: "Card acceptor identification code", nameZh: "受卡方标识码(商户号)" },
  43: { format: "ans40", name: "Card acceptor name/location", nameZh: "受卡方名称地址" },
  44: { format: "an..25", name: "Additional response data", nameZh: "附加响应数据" },
  45: { format: "ans..76", name: "Track 1 data", nameZh: "第一磁道数据", sensitivity: "sad" },
  46: { format: "ans...999", name: "Additional data - ISO", nameZh: "附加数据-ISO" },
  47: { format: "ans...999", name: "Additional data - national", nameZh: "附加数据-国家" },
  48: { format: "ans...999", name: "Additional data - private", nameZh: "附加数据-私有", sensitivity: "hidden" },
  49: { format: "an3", name: "Currency code, transaction", nameZh: "交易货币代码" },
  50: { format: "an3", name: "Currency code, settlement", nameZh: "清算货币代码" },
  51: { format: "an3", name: "Currency code, cardholder billing", nameZh: "持卡人账户货币代码" },
  52: { format: "b8", name: "PIN data", nameZh: "个人标识码数据", sensitivity: "sad" },
  53: { format: "n16", name: "Security related control information", nameZh: "安全控制信息" },
  54: { format: "an...120", name: "Additional amounts", nameZh: "附加金额(余额)" },
  55: { format: "ans...999", name: "Reserved ISO (EMV data)", nameZh: "IC卡数据域", sensitivity: "hidden" },
  56: { format: "ans...999", name: "Reserved ISO", nameZh: "附加信息" },
  57: { format: "ans...999", name: "Reserved national", nameZh: "附加交易信息" },
  58: { format: "ans...999", name: "Reserved national", nameZh: "PBOC电子钱包标准交易信息" },
  59: { format: "ans...999", name: "Reserved national", nameZh: "明细查询数据" },
  60: { format: "ans...999", name: "Reserved private", nameZh: "自定义域(交易附加)" },
  // F61 to F63 are where networks put cardholder identification, CVN2, keys and tokens (domain.md 1.9, 3.9).
  61: { format: "ans...999", name: "Reserved private", nameZh: "持卡人身份认证信息", sensitivity: "hidden" },
  62: { format: "ans...999", name: "Reserved private", nameZh: "交换中心数据", sensitivity: "hidden" },
  63: { format: "ans...999", name: "Reserved private", nameZh: "金融网络数据", sensitivity: "hidden" },
  64: { format: "b8", name: "Message authentication code (MAC)", nameZh: "报文鉴别码" },
  66: { format: "n1", name: "Settlement code", nameZh: "结算代码" },
  67: { format: "n2", name: "Extended payment code", nameZh: "扩展支付代码" },
  68: { format: "n3", name: "Receiving institution country code", nameZh: "接收机构国家代码" },
  69: { format: "n3", name: "Settlement institution country code", nameZh: "清算机构国家代码" },
  70: { format: "n3", name: "Network management information code", nameZh: "网络管理信息码" },
  71: { format: "n4", name: "Message number", nameZh: "报文编号" },
  72: { format: "n4", name: "Message number, last", nameZh: "最后报文编号" },
  73: { format: "n6", name: "Date, action", nameZh: "动作日期" },
  74: { format: "n10", name: "Credits, number", nameZh: "贷记笔数" },
  75: { format: "n10", name: "Credits, reversal number", nameZh: "贷记冲正笔数" },
  76: { format: "n10", name: "Debits, number", nameZh: "借记笔数" },
  77: { format: "n10", name: "Debits, reversal number", nameZh: "借记冲正笔数" },
  78: { format: "n10", name: "Transfer, number", nameZh: "转账笔数" },
  79: { format: "n10", name: "Transfer, reversal number", nameZh: "转账冲正笔数" },
  80: { format: "n10", name: "Inquiries, number", nameZh: "查询笔数" },
  81: { format: "n10", name: "Authorizations, number", nameZh: "授权笔数" },
  82: { format: "n12", name: "Credits, processing fee amount", nameZh: "贷记服务费金额" },
  83: { format: "n12", name: "Credits, transaction fee amount", nameZh: "贷记交易费金额" },
  84: { format: "n12", name: "Debits, processing fee amount", nameZh: "借记服务费金额" },
  85: { format: "n12", name: "Debits, transaction fee amount", nameZh: "借记交易费金额" },
  86: { format: "n16", name: "Credits, amount", nameZh: "贷记金额" },
  87: { format: "n16", name: "Credits, reversal amount", nameZh: "贷记冲正金额" },
  88: { format: "n16", name: "Debits, amount", nameZh: "借记金额" },
  89: { format: "n16", name: "Debits, reversal amount", nameZh: "借记冲正金额" },
  90: { format: "n42", name: "Original data elements", nameZh: "原始数据元" },
  91: { format: "an1", name: "File update code", nameZh: "文件更新代码" },
  92: { format: "an2", name: "File security code", nameZh: "文件安全代码" },
  93: { format: "an5", name: "Response indicator", nameZh: "应答指示" },
  94: { format: "an7", name: "Service indicator", nameZh: "服务指示" },
  95: { format: "an42", name: "Replacement amounts", nameZh: "替换金额" },
  96: { format: "b8", name: "Message security code", nameZh: "报文安全码", sensitivity: "sad" },
  97: { format: "x+n16", name: "Amount, net settlement", nameZh: "净清算额" },
  98: { format: "ans25", name: "Payee", nameZh: "收款人" },
  99: { format: "n..11", name: "Settlement institution identification code", nameZh: "清算机构标识码" },
  100: { format: "n..11", name: "Receiving institution identification code", nameZh: "接收机构标识码" },
  101: { format: "ans..17", name: "File name", nameZh: "文件名" },
  102: { format: "ans..28", name: "Account identification 1", nameZh: "账户标识1", sensitivity: "pan" },
  103: { format: "ans..28", name: "Account identification 2", nameZh: "账户标识2", sensitivity: "pan" },
  104: { format: "ans...100", name: "Transaction description", nameZh: "交易描述/附加信息", sensitivity: "hidden" },
  105: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  106: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  107: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  108: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  109: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  110: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  111: { format: "ans...999", name: "Reserved for ISO use", nameZh: "ISO保留" },
  112: { format: "ans...999", name: "Reserved for national use", nameZh: "国家保留" },
  113: { format: "ans...999", name: "Reserved for national use", nameZh: "附加信息" },
  114: { format: "ans...999", name: "Reserved for national use", nameZh: "国家保留" },
  115: { format: "ans...999", name: "Reserved for national use", nameZh: "国家保留" },
  116: { format: "ans...999", name: "Reserved for national use", nameZh: "附加信息" },
  117: { format: "ans...999", name: "Reserved for national use", nameZh: "附加信息" },
  118: { format: "ans...999", name: "Reserved for national use", nameZh: "国家保留" },
  119: { format: "ans...999", name: "Reserved for national use", nameZh: "国家保留" },
  120: { format: "ans...999", name: "Reserved for private use", nameZh: "私有保留" },
  121: { format: "ans...999", name: "Reserved for private use", nameZh: "银联处理中心保留" },
  122: { format: "ans...999", name: "Reserved for private use", nameZh: "受理方保留" },
  123: { format: "ans...999", name: "Reserved for private use", nameZh: "发卡方保留" },
  124: { format: "ans...999", name: "Reserved for private use", nameZh: "私有保留" },
  125: { format: "ans...999", name: "Reserved for private use", nameZh: "附加信息" },
  126: { format: "ans...999", name: "Reserved for private use", nameZh: "附加信息" },
  127: { format: "ans...999", name: "Reserved for private use", nameZh: "私有保留" },
  128: { format: "b8", name: "MAC, secondary", nameZh: "报文鉴别码" }
}

/** ISO 8583:1987, all ASCII: bitmaps are 16 or 32 hex digits, b fields hex digits. */
export const iso8583v1987Ascii: Dialect = {
  name: "iso8583v1987Ascii",
  title: "ISO 8583:1987, ASCII, bitmaps and binary fields in hex",
  version: 0,
  mti: "ascii",
  bitmap: { encoding: "hex", secondary: "optional" },
  encodings: {
    digits: "ascii",
    text: "ascii",
    track: "ascii",
    bytes: "hex",
    prefix: "ascii",
    align: "right",
    fill: 0
  },
  fields,
  network: {
    mti: 800,
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
    fields: [7, 11]
  },
  // F41 is left out: some hosts do not send it back.
  match: { transaction: [7, 11, 32], networkManagement: [7, 11, 70] },
  // F4 may change in an answer (partial approval).
  echo: [2, 3, 7, 11, 32, 33, 37, 41, 42, 49],
  reversal: {
    mti: 420,
    copies: [2, 3, 4, 12, 13, 18, 22, 23, 24, 25, 32, 33, 37, 38, 41, 42, 43, 49],
    renews: [7, 11],
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
    // Inquiries (processing codes 3x) have no reversal.
    reversible: [
      { mti: 100, except: ["3"] },
      { mti: 200, except: ["3"] }
    ]
  },
  adviceNeeds: [14],
  responseCodes: responseCodes1987,
  processingCodes,
  accountTypes,
  refusal: {
    formatError: "30",
    issuerDown: "91",
    noRoute: "92",
    duplicate: "94",
    malfunction: "96",
    noAnswer: "68",
    notSignedOn: "91",
    macFailed: "63",
    cutOver: "90"
  }
}

/** The same with raw bytes: bitmaps of 8 bytes, b fields as they are, chip data (F55) as bytes. */
export const iso8583v1987AsciiRaw: Dialect = derive(iso8583v1987Ascii, {
  name: "iso8583v1987AsciiRaw",
  title: "ISO 8583:1987, ASCII, bitmaps and binary fields as raw bytes",
  bitmap: { encoding: "binary", secondary: "optional" },
  encodings: { bytes: "binary" },
  fields: { 55: { format: "b...999", sensitivity: "emv" } }
})

/**
 * In packed decimal: n fields, F35 and length prefixes BCD, text ASCII, bitmaps and b fields raw bytes. Digits of an odd number
 * are to the right in fixed fields and to the left in variable ones, filled with 0 (jPOS ISO87BPackager;
 * `test/fixtures/codec-packed.json` has every field).
 */
export const iso8583v1987Bcd: Dialect = derive(iso8583v1987AsciiRaw, {
  name: "iso8583v1987Bcd",
  title: "ISO 8583:1987, packed decimal, binary bitmap",
  mti: "bcd",
  encodings: { digits: "bcd", prefix: "bcd", variableAlign: "left" },
  fields: { 35: { encoding: "bcd" } }
})

/**
 * Generic NAC link: packed decimal behind a TPDU, whose addresses change places in an answer. Digits as in `iso8583v1987Bcd`, and
 * track 3 is packed like track 2.
 */
export const nac: Dialect = derive(iso8583v1987Bcd, {
  name: "nac",
  title: "NAC: TPDU and ISO 8583:1987 in packed decimal",
  header: tpdu5,
  encodings: { track: "bcd" },
  match: { transaction: [11, 41, 42], networkManagement: [11, 41, 42] }
})

/** All text in EBCDIC (code page 037), bitmaps and b fields raw bytes: mainframe hosts. */
export const iso8583v1987Ebcdic: Dialect = derive(iso8583v1987AsciiRaw, {
  name: "iso8583v1987Ebcdic",
  title: "ISO 8583:1987, EBCDIC, binary bitmap",
  mti: "ebcdic",
  encodings: { digits: "ebcdic", text: "ebcdic", track: "ebcdic", prefix: "ebcdic" }
})

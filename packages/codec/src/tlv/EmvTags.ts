/**
 * Names, formats and sensitivity of the EMV tags met in DE 55: the CUPS and UnionPay POS list (domain facts 3.3), and the
 * other common tags of EMV 4.3 book 3 annex A, PBOC 3.0 and the contactless books.
 *
 * Lengths are what the documents say and are not enforced. A tag means different things in different kernels (9F6B, 9F53,
 * 9F6E, 9F7C): where one meaning is sensitive, the tag is.
 */

/**
 * `none`: may be shown. `pan`: cardholder data (PAN, name, expiry): shown covered, kept only encrypted. `sad`: sensitive
 * authentication data (track, PIN): never shown, never kept (PCI DSS 3.3.1).
 */
export type TlvSensitivity = "none" | "pan" | "sad"

/** `b` bytes, `n` BCD digits padded in front, `cn` BCD digits padded with F behind, `an`/`ans` text. */
export type EmvFormat = "b" | "n" | "cn" | "an" | "ans"

/** One tag. `lengthMin` and `lengthMax` in bytes. */
export interface EmvTag {
  readonly tag: string
  readonly name: string
  readonly nameZh: string
  readonly format: EmvFormat
  readonly lengthMin: number
  readonly lengthMax: number
  readonly sensitivity: TlvSensitivity
}

type Row = readonly [string, string, string, EmvFormat, number, number, TlvSensitivity]

/** Domain facts 3.3: the list of CUPS and of the UnionPay POS specification. */
const unionPayRows: ReadonlyArray<Row> = [
  ["9F26", "Application cryptogram", "应用密文", "b", 8, 8, "none"],
  ["9F27", "Cryptogram information data", "密文信息数据", "b", 1, 1, "none"],
  ["9F10", "Issuer application data", "发卡行应用数据", "b", 0, 32, "none"],
  ["9F37", "Unpredictable number", "不可预知数", "b", 4, 4, "none"],
  ["9F36", "Application transaction counter", "应用交易计数器", "b", 2, 2, "none"],
  ["95", "Terminal verification results", "终端验证结果", "b", 5, 5, "none"],
  ["9A", "Transaction date", "交易日期", "n", 3, 3, "none"],
  ["9C", "Transaction type", "交易类型", "n", 1, 1, "none"],
  ["9F02", "Amount authorised", "授权金额", "n", 6, 6, "none"],
  ["5F2A", "Transaction currency code", "交易货币代码", "n", 2, 2, "none"],
  ["82", "Application interchange profile", "应用交互特征", "b", 2, 2, "none"],
  ["9F1A", "Terminal country code", "终端国家代码", "n", 2, 2, "none"],
  ["9F03", "Amount other", "其它金额", "n", 6, 6, "none"],
  ["9F33", "Terminal capabilities", "终端性能", "b", 3, 3, "none"],
  ["9F34", "Cardholder verification results", "持卡人验证方法结果", "b", 3, 3, "none"],
  ["9F35", "Terminal type", "终端类型", "n", 1, 1, "none"],
  ["9F1E", "Interface device serial number", "接口设备序列号", "an", 8, 8, "none"],
  ["84", "Dedicated file name", "专用文件名称", "b", 5, 16, "none"],
  ["9F09", "Application version number", "应用版本号", "b", 2, 2, "none"],
  ["9F41", "Transaction sequence counter", "交易序列计数器", "n", 2, 4, "none"],
  ["91", "Issuer authentication data", "发卡行认证数据", "b", 8, 16, "none"],
  ["71", "Issuer script template 1", "发卡行脚本1", "b", 0, 128, "none"],
  ["72", "Issuer script template 2", "发卡行脚本2", "b", 0, 128, "none"],
  ["DF31", "Issuer script results", "发卡方脚本结果", "b", 0, 21, "none"],
  ["9F74", "Electronic cash issuer authorisation code", "电子现金发卡行授权码", "an", 6, 6, "none"],
  ["9F63", "Card product identification", "卡产品标识信息", "b", 16, 16, "none"],
  ["8A", "Authorisation response code", "授权响应码", "an", 2, 2, "none"]
]

const sensitiveRows: ReadonlyArray<Row> = [
  ["56", "Track 1 data", "磁条1等效数据", "ans", 0, 76, "sad"],
  ["57", "Track 2 equivalent data", "磁条2等效数据", "b", 0, 19, "sad"],
  ["5A", "Application PAN", "应用主账号", "cn", 0, 10, "pan"],
  ["5F20", "Cardholder name", "持卡人姓名", "ans", 2, 26, "pan"],
  ["5F24", "Application expiration date", "应用失效日期", "n", 3, 3, "pan"],
  ["5F30", "Service code", "服务码", "n", 2, 2, "pan"],
  ["86", "Issuer script command", "发卡行脚本命令", "b", 0, 261, "sad"],
  ["99", "Transaction PIN data", "交易PIN数据", "b", 0, 8, "sad"],
  ["9F0B", "Cardholder name extended", "持卡人姓名扩展", "ans", 27, 45, "pan"],
  ["9F1F", "Track 1 discretionary data", "磁条1自定义数据", "ans", 0, 54, "sad"],
  ["9F20", "Track 2 discretionary data", "磁条2自定义数据", "cn", 0, 8, "sad"],
  ["9F46", "ICC public key certificate (the PAN can be recovered)", "IC卡公钥证书", "b", 0, 248, "pan"],
  ["9F61", "Cardholder ID number", "持卡人证件号", "an", 0, 40, "pan"],
  ["9F6B", "Track 2 data (contactless)", "磁条2数据(非接)", "b", 0, 19, "sad"]
]

const commonRows: ReadonlyArray<Row> = [
  ["42", "Issuer identification number", "发卡行标识号", "n", 3, 3, "none"],
  ["4F", "Application identifier (card)", "应用标识符(卡片)", "b", 5, 16, "none"],
  ["50", "Application label", "应用标签", "ans", 1, 16, "none"],
  ["5F25", "Application effective date", "应用生效日期", "n", 3, 3, "none"],
  ["5F28", "Issuer country code", "发卡行国家代码", "n", 2, 2, "none"],
  ["5F2D", "Language preference", "首选语言", "an", 2, 8, "none"],
  ["5F34", "PAN sequence number", "应用主账号序列号", "n", 1, 1, "none"],
  ["61", "Application template", "应用模板", "b", 0, 252, "none"],
  ["6F", "File control information template", "文件控制信息模板", "b", 0, 252, "none"],
  ["70", "Record template", "记录模板", "b", 0, 252, "none"],
  ["77", "Response message template format 2", "响应报文模板格式2", "b", 0, 252, "none"],
  ["8E", "Cardholder verification method list", "持卡人验证方法列表", "b", 0, 252, "none"],
  ["94", "Application file locator", "应用文件定位器", "b", 0, 252, "none"],
  ["9B", "Transaction status information", "交易状态信息", "b", 2, 2, "none"],
  ["9F01", "Acquirer identifier", "收单行标识", "n", 6, 6, "none"],
  ["9F06", "Application identifier (terminal)", "应用标识符(终端)", "b", 5, 16, "none"],
  ["9F07", "Application usage control", "应用用途控制", "b", 2, 2, "none"],
  ["9F0D", "Issuer action code, default", "发卡行行为代码-缺省", "b", 5, 5, "none"],
  ["9F0E", "Issuer action code, denial", "发卡行行为代码-拒绝", "b", 5, 5, "none"],
  ["9F0F", "Issuer action code, online", "发卡行行为代码-联机", "b", 5, 5, "none"],
  ["9F12", "Application preferred name", "应用首选名称", "ans", 1, 16, "none"],
  ["9F15", "Merchant category code", "商户分类码", "n", 2, 2, "none"],
  ["9F16", "Merchant identifier", "商户标识", "ans", 15, 15, "none"],
  ["9F17", "PIN try counter", "PIN尝试计数器", "b", 1, 1, "none"],
  ["9F18", "Issuer script identifier", "发卡行脚本标识", "b", 4, 4, "none"],
  ["9F19", "Token requestor identifier", "标记请求方标识", "n", 6, 6, "none"],
  ["9F1C", "Terminal identification", "终端标识", "an", 8, 8, "none"],
  ["9F21", "Transaction time", "交易时间", "n", 3, 3, "none"],
  ["9F24", "Payment account reference", "支付账户参考号", "an", 29, 29, "none"],
  ["9F25", "Last 4 digits of PAN", "主账号后四位", "n", 2, 2, "none"],
  ["9F39", "POS entry mode", "POS输入方式", "n", 1, 1, "none"],
  ["9F40", "Additional terminal capabilities", "终端附加性能", "b", 5, 5, "none"],
  ["9F4E", "Merchant name and location", "商户名称和位置", "ans", 0, 252, "none"],
  ["9F53", "Transaction category code", "交易类别码", "b", 1, 1, "none"],
  ["9F5B", "Issuer script results", "发卡行脚本结果", "b", 0, 25, "none"],
  ["9F66", "Terminal transaction qualifiers", "终端交易属性", "b", 4, 4, "none"],
  ["9F6E", "Form factor indicator or third party data", "形态因子标识或第三方数据", "b", 4, 32, "none"],
  ["9F79", "Electronic cash balance", "电子现金余额", "n", 6, 6, "none"],
  ["9F7C", "Customer exclusive data", "客户专有数据", "b", 0, 32, "none"],
  ["A5", "FCI proprietary template", "FCI专有模板", "b", 0, 252, "none"],
  ["BF0C", "FCI issuer discretionary data", "FCI发卡行自定义数据", "b", 0, 222, "none"]
]

const tagOf = ([tag, name, nameZh, format, lengthMin, lengthMax, sensitivity]: Row): EmvTag => ({
  tag,
  name,
  nameZh,
  format,
  lengthMin,
  lengthMax,
  sensitivity
})

/** All tags known here, by tag (upper-case hexadecimal). */
export const emvTags: ReadonlyMap<string, EmvTag> = new Map(
  [...unionPayRows, ...sensitiveRows, ...commonRows].map((row) => [row[0], tagOf(row)])
)

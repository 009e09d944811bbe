/**
 * What is inside the private fields of the CUPS centre interface (docs/domain.md 1.9). Facts from public code only: where no
 * public source names a part's meaning, it is called reserved. Lists of tags are open: a tag that is not here is read too.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import type { PartDefinition, PositionalStructure, Structure, TagDefinitions } from "../iso8583/Structure.ts"

const part = (name: string, nameZh: string, length?: number): PartDefinition =>
  length === undefined ? { name, nameZh } : { name, nameZh, length }

const positional = (...parts: ReadonlyArray<PartDefinition>): PositionalStructure => ({ style: "positional", parts })

/** Nobody says what is in a reserved part; one character is a flag. */
const reserved = (length: number): PartDefinition =>
  length === 1
    ? part("reserved", "保留使用", length)
    : { name: "reserved", nameZh: "保留使用", length, sensitivity: "hidden" }

/** Why a tag may be seen. */
const reason = "its public layout holds codes, amounts, dates and institutions only"

/** A tag whose value is known not to be cardholder data; all others of its field stay covered. */
const shown = (name: string, nameZh: string, structure?: Structure): PartDefinition =>
  structure === undefined
    ? { name, nameZh, sensitivity: "none", reason }
    : { name, nameZh, sensitivity: "none", reason, structure }

/** A flag of one character, which may be seen. */
const flag = (name: string, nameZh: string): PartDefinition => ({
  name,
  nameZh,
  length: 1,
  sensitivity: "none",
  reason: "one character is no card data"
})

/** Usage of 2 characters, length of 3 digits, value ("ULV"). */
const usageLengthValue = (tags: TagDefinitions = {}): Structure => ({
  style: "tag-length-value",
  tagLength: 2,
  lengthDigits: 3,
  tags
})

/** Usage of 2 characters, value to the end ("UV"). */
const usageValue = (tags: TagDefinitions): Structure => ({ style: "usage-value", tagLength: 2, tags })

const billPayment = positional(
  part("user number type", "用户号码类型", 2),
  part("user number", "用户号码", 40),
  part("area", "用户号码地区编码", 4),
  part("additional area", "用户号码附加地区编码", 4),
  part("payment means flag", "支付方式标志", 1),
  part("payment means type", "支付方式类型", 2),
  part("payment means number", "支付方式号码", 40),
  part("term of the mandate", "委托关系限期", 2),
  part("highest amount", "最高限制金额", 12),
  part("lowest amount", "最低限制金额", 12),
  part("payment period", "支付区间", 17),
  reserved(22)
)

const instalments = positional(
  part("instalments", "期数", 2),
  reserved(30),
  reserved(1),
  reserved(1),
  part("fee rate", "分期付款手续费率", 6),
  part("merchant rate", "商户补贴手续费率", 6),
  reserved(16)
)

const f48: TagDefinitions = {
  AA: part("acquirer additional", "受理方附加交易信息"),
  AO: shown("business type", "关联业务类型"),
  BC: shown(
    "risk",
    "风险信息",
    positional(
      part("code", "风险原因代码", 3),
      part("level", "风险等级", 1),
      part("score", "风险评分", 3),
      reserved(12)
    )
  ),
  NK: { name: "new key", nameZh: "新密钥", sensitivity: "sad" },
  IN: part("CUPSecure", "CUPSecure认证信息"),
  PB: shown(
    "chip purchase",
    "IC卡信息",
    positional(part("entry mode", "服务点输入方式码", 3), part("chip code", "IC卡条件代码", 1))
  ),
  IP: shown("instalments", "分期付款", instalments),
  RA: shown("price", "折扣前标价"),
  RP: shown("product", "积分商品", positional(part("product code", "商品代码", 30), reserved(30))),
  PZ: { name: "bill payment", nameZh: "代收付", structure: billPayment },
  CB: {
    name: "cross-border payment",
    nameZh: "跨境支付",
    structure: positional(
      part("payment type", "付款类型", 2),
      part("payment code", "付款代码", 30),
      part("payment reason", "付款原因", 30)
    )
  },
  ON: shown("order", "订单号")
}

/** DE 48: one usage, or AS and a list of usages with lengths ("UVAS"). */
export const cupsF48: Structure = usageValue({
  ...f48,
  AS: { name: "list", nameZh: "用法列表", structure: usageLengthValue(f48) }
})

/** DE 56: usages with lengths; PR holds tags of 2 characters with lengths of 3 digits. */
export const cupsF56: Structure = usageLengthValue({ PR: part("payment account reference", "支付账户参考") })

const f57: TagDefinitions = {
  AR: shown("return reason", "附加原因"),
  AB: {
    name: "issuer and centre",
    nameZh: "发卡方与中心信息",
    structure: positional(part("issuer", "发卡方", 20), part("centre", "银联", 20), reserved(56))
  }
}

/** DE 57: one usage, or AS and a list. */
export const cupsF57: Structure = usageValue({
  ...f57,
  AS: { name: "list", nameZh: "用法列表", structure: usageLengthValue(f57) }
})

/** DE 59: detail inquiries. */
export const cupsF59: Structure = usageValue({
  QL: shown("sequence", "序号", positional(part("sequence", "序号", 3))),
  QD: shown(
    "inquiry",
    "明细查询",
    positional(part("sequence", "序号", 3), part("from", "起始日期", 8), part("to", "结束日期", 8))
  ),
  QR: {
    name: "records",
    nameZh: "明细记录",
    structure: positional(part("currency", "币种", 3), part("count", "笔数", 3), part("records of 50", "记录"))
  }
})

/** DE 60. The third character of 60.11.3 selects the MAC algorithm [one source]. */
export const cupsF60: Structure = positional(
  part("reason code", "报文原因代码", 4),
  part("account owner", "账户所有人类型", 1),
  part("terminal read ability", "终端读取能力", 1),
  part("chip condition", "IC卡条件代码", 1),
  reserved(1),
  part("terminal type", "终端类型", 2),
  part("no-PIN flag", "免密标志", 1),
  part("chip reliability", "IC卡验证可靠性标志", 1),
  part("e-commerce", "电子商务标志", 2),
  part("interaction", "交互方式标志", 1),
  {
    name: "additional",
    nameZh: "交易发生附加信息",
    structure: positional(
      part("fee type", "特殊计费类型", 2),
      part("fee grade", "特殊计费档次", 1),
      part("reserved and MAC algorithm", "保留与MAC算法标识", 3),
      part("partial approval", "支持部分承兑", 1),
      part("initiation", "交易发起方式", 1),
      part("medium", "交易介质", 1),
      part("chip application", "IC卡应用类型", 1),
      part("settlement type", "账户结算类型", 2),
      part("account level", "卡账户等级", 1),
      part("card product", "卡产品", 2)
    )
  }
)

/** DE 61: the whole field is authentication data and stays covered. */
export const cupsF61: Structure = positional(
  part("id type", "证件类型", 2),
  part("id number", "证件编号", 20),
  part("CVV result", "CVV校验结果", 1),
  part("PVV result", "PVV校验结果", 1),
  part("centre flag", "中心标识", 3),
  part("CVN2", "CVN2", 3),
  part("CVN2 result", "CVN2校验结果", 1),
  part("ARQC result", "ARQC认证结果", 1),
  reserved(3),
  {
    name: "additional",
    nameZh: "附加认证信息",
    structure: usageValue({
      AM: {
        name: "authentication means",
        nameZh: "认证方式",
        structure: positional(part("bitmap", "认证方式位图", 16), part("values", "认证信息"))
      },
      AR: {
        name: "dynamic code",
        nameZh: "动态验证码",
        structure: positional(reserved(6), reserved(19), reserved(1))
      },
      CR: part("result", "结果")
    })
  }
)

/** DE 62: IO and a list of tags that repeat fields of the original. */
export const cupsF62: Structure = usageValue({
  IO: shown("original", "原始交易信息", {
    style: "tag-fixed",
    tagLength: 3,
    tags: {
      T00: part("message type", "消息类型", 3),
      T07: part("transmission date and time", "交易传输时间", 10),
      T11: part("STAN", "系统跟踪号", 6),
      T18: part("merchant type", "商户类型", 4),
      T32: part("acquiring institution", "受理机构标识码", 11),
      T33: part("forwarding institution", "发送机构标识码", 11),
      T37: part("RRN", "检索参考号", 12),
      T39: part("response code", "应答码", 2),
      T41: part("terminal", "受卡机终端标识码", 8),
      T42: part("card acceptor", "受卡方标识码", 15),
      T43: part("card acceptor name", "受卡方名称地址", 40),
      T60: { name: "reserved", nameZh: "自定义域", length: 7, sensitivity: "hidden" }
    }
  })
})

/** DE 63: SM is the PIN block under SM4, TK token data: the whole field stays covered. */
export const cupsF63: Structure = usageLengthValue({
  SM: part("PIN block under SM4", "国密PIN数据"),
  TK: part("token", "支付标记信息")
})

/** DE 104, 113, 116, 117, 125, 126: usages with lengths; no public source lists the usages. */
export const cupsUsages: Structure = usageLengthValue()

/** DE 121. */
export const cupsF121: Structure = positional(
  flag("answer reason", "应答原因"),
  flag("single or dual conversion", "单双信息转换标志"),
  flag("card nature", "卡性质"),
  part("centre reserved", "银联保留", 40),
  {
    name: "additional",
    nameZh: "附加信息",
    structure: usageValue({
      ID: {
        name: "institutions",
        nameZh: "机构信息",
        structure: positional(part("first", "一", 8), part("second", "二", 8), part("third", "三", 20))
      },
      FD: part("fees", "费用信息")
    })
  }
)

/** DE 122. */
export const cupsF122: Structure = positional(
  { name: "merchant rate", nameZh: "商户扣率", length: 6, sensitivity: "none", reason },
  part("acquirer information", "受理方信息")
)

/**
 * DE 52 with its control in DE 53, as the centre and terminals have it: the first digit says the block's format, the second the
 * cipher.
 */
export const cupsPin: NonNullable<NonNullable<Dialect["security"]>["pin"]> = {
  field: 52,
  control: {
    field: 53,
    format: { at: 0, values: { "1": "unionPayWithoutPan", "2": "iso0" } },
    cipher: { at: 1, values: { "0": "des", "6": "tdes", "4": "sm4" } }
  }
}

/** The words of the console in English and 中文, and which of the two the reader has chosen. */
const words = {
  skip: ["Skip to the content", "跳到内容"],
  links: ["Links", "链路"],
  rates: ["Rates", "流量"],
  doubt: ["In doubt", "存疑交易"],
  trace: ["Trace", "交易追踪"],
  keys: ["Keys", "密钥"],
  day: ["Business day", "营业日"],
  alarms: ["Alarms", "告警"],
  audit: ["Audit", "操作审计"],
  slot: ["Key", "密钥位"],
  current: ["In use", "当前"],
  previous: ["Still good", "旧密钥（仍有效）"],
  offered: ["Given, not acknowledged", "已下发待确认"],
  fitted: ["MACs that fitted: in use / old / none", "匹配：当前/旧/无"],
  "links-hint": ["Who is connected, and what is under way.", "链路状态与未完成交易。"],
  "rates-hint": ["The last ten minutes of one link, or of all.", "单条或全部链路最近十分钟的流量。"],
  "doubt-hint": [
    "What a person has to settle with the partner, and what the switch still delivers.",
    "需要人工与对方核实的交易，以及交换机仍在转发的报文。"
  ],
  "trace-hint": [
    "The life of a transaction with both sides of its messages, or why an answer found no request. Cards are covered.",
    "交易全过程及收发两侧报文对照，或应答为何找不到原请求；卡号已屏蔽。"
  ],
  "keys-hint": [
    "Keys are shown by their check values alone. Compare them with the partner's.",
    "仅显示密钥校验值，请与对方核对。"
  ],
  "day-hint": ["The business day of each partner, and the totals of a day.", "各合作方的营业日与当日合计。"],
  "alarms-hint": ["What is wrong now, and since when.", "当前告警及其持续时间。"],
  "audit-hint": ["What persons did, from the journal, newest first.", "来自日志库的人工操作记录，最新在前。"],
  noKeys: ["No link has keys.", "没有链路使用密钥。"],
  askKey: ["New key", "申请新密钥"],
  retireKey: ["Destroy", "销毁"],
  alarm: ["Alarm", "告警"],
  says: ["What is wrong", "说明"],
  wholeSwitch: ["the switch", "整个交换机"],
  noAlarms: ["Nothing is wrong.", "没有告警。"],
  "alarm-linkDown": ["Link down", "链路中断"],
  "alarm-halfLink": ["Half a link", "链路单通"],
  "alarm-signOff": ["Partner signed off", "对方签退"],
  "alarm-noTraffic": ["No traffic", "无流量"],
  "alarm-timeouts": ["No answers", "超时过多"],
  "alarm-successRate": ["Fewer approvals", "批准率下降"],
  "alarm-queueAge": ["Queue too old", "待发积压"],
  "alarm-refusals": ["We refuse much", "我方大量拒绝"],
  "alarm-refusedCalls": ["Refused calls", "运维调用被拒"],
  "alarm-macFailures": ["Wrong MACs", "MAC 校验失败"],
  "alarm-inDoubt": ["In doubt", "存疑交易"],
  "alarm-imposture": ["Another institution's name", "冒用他人标识"],
  "alarm-full": ["Refuses requests", "拒绝新请求"],
  "alarm-disk": ["Disk", "磁盘"],
  "alarm-retention": ["Old days not dropped", "日志库归档失败"],
  "alarm-lag": ["Disk too slow", "磁盘过慢"],
  "alarm-keys": ["No security module", "加密机不可用"],
  "alarm-device": ["Device away", "加密设备离线"],
  "alarm-clock": ["Clock differs", "时钟不一致"],
  "alarm-certificate": ["Certificate expires", "证书将到期"],
  "alarm-defect": ["Defect", "程序缺陷"],
  silence: ["Silence", "静默"],
  unsilence: ["End the silence", "取消静默"],
  silenced: ["silenced", "已静默"],
  silencedAlarms: ["Silenced", "已静默的告警"],
  silenceFor: ["For how long", "静默时长"],
  until: ["Until", "至"],
  every: ["every link", "全部链路"],
  minutes30: ["30 minutes", "30 分钟"],
  minutes240: ["4 hours", "4 小时"],
  minutes1440: ["a day", "1 天"],
  when: ["When", "时间"],
  who: ["Who", "用户"],
  what: ["What", "操作"],
  reason: ["Why", "原因"],
  older: ["Older", "更早"],
  date: ["Date", "日期"],
  side: ["Direction", "方向"],
  from: ["from the partner", "对方发来"],
  to: ["to the partner", "发往对方"],
  type: ["Type", "交易类型"],
  reversed: ["Reversed", "已冲正"],
  refusedCount: ["Declined", "已拒绝"],
  openCount: ["Open", "未了结"],
  unknown: ["Unknown", "结果不明"],
  approvedCount: ["Approved", "已批准"],
  undone: ["Unknown, reversed", "不明已冲正"],
  currency: ["Currency", "币种"],
  closing: ["closing", "日切中"],
  leave: ["Log out", "退出"],
  language: ["中文", "English"],
  enter: ["Log in", "登录"],
  token: ["Token", "令牌"],
  tokenHint: ["The token of one of `admin.users`.", "配置 admin.users 中某用户的令牌。"],
  live: ["live", "实时"],
  noAnswer: [
    "The switch has not answered: whether it was done, the audit says.",
    "交换机没有应答：是否已执行，请查看操作审计。"
  ],
  endedUndone: ["The session has ended: what you asked for was not done.", "会话已结束：刚才的操作没有执行。"],
  whyWrong: [
    "The reason needs 1 to 120 ASCII characters, and no run of 8 digits.",
    "原因须为 1 至 120 个英文字符，不得有连续 8 位数字。"
  ],
  lost: ["No connection to the switch: trying again", "与交换机失去联系，正在重试"],
  wrongToken: ["No user has this token.", "令牌无效。"],
  ended: ["The session has ended.", "会话已结束。"],
  partner: ["Partner", "合作方"],
  state: ["State", "状态"],
  since: ["Since", "持续"],
  heard: ["Last byte", "最近收到"],
  inward: ["In /s", "来/秒"],
  outward: ["Out /s", "去/秒"],
  outstanding: ["Outstanding", "未应答"],
  stored: ["Stored", "待发"],
  timeouts: ["No answer", "超时"],
  approved: ["Approved", "批准率"],
  partnerTime: ["Partner p99", "对方 p99"],
  ourTime: ["Own p99", "本方 p99"],
  "by-partner": ["partner", "对方"],
  "by-network": ["network", "网络"],
  "by-us": ["us", "本方"],
  "by-operator": ["operator", "操作员"],
  lastEnd: ["Last end", "上次断开"],
  acts: ["Acts", "操作"],
  ready: ["ready", "就绪"],
  down: ["down", "断开"],
  up: ["up", "已连接"],
  connecting: ["connecting", "连接中"],
  blocked: ["blocked", "已停用"],
  draining: ["draining", "排空中"],
  "down, drained": ["down, drained", "已排空断开"],
  "down, blocked": ["down, blocked", "断开，已停用"],
  connected: ["connected", "已连接，未就绪"],
  suspect: ["suspect", "久无响应"],
  proving: ["proving", "重连后验证中"],
  "collecting late answers": ["collecting late answers", "等待迟到应答"],
  "partner signed off": ["partner signed off", "对方已签退"],
  "waiting for sign-on": ["waiting for sign-on", "等待对方签到"],
  "without key": ["without key", "缺密钥"],
  "without module": ["without module", "无可用加密机"],
  listening: ["listening", "监听中"],
  unreachable: ["unreachable", "无法连接"],
  "full-disk": ["no room (disk)", "磁盘空间不足"],
  "full-lag": ["no room (lag)", "落盘过慢"],
  "full-away": ["store away", "存储不可用"],
  "signing on": ["signing on", "签到中"],
  "signed off": ["signed off", "已签退"],
  all: ["all links", "全部链路"],
  full: ["Refusing", "拒绝新请求"],
  unwritten: ["Not on disk", "未落盘"],
  lag: ["Time to disk", "落盘耗时"],
  loop: ["Event loop delay p99", "主循环延迟 p99"],
  memory: ["Memory", "内存"],
  defects: ["Defects", "程序缺陷"],
  requests: ["Requests a second", "每秒请求"],
  codes: ["Answers a second by code", "每秒应答（按应答码）"],
  time: ["Time p99, ms", "耗时 p99（毫秒）"],
  open: ["Outstanding and stored", "未应答与待发"],
  message: ["Message", "报文"],
  link: ["Link", "链路"],
  code: ["Code", "应答码"],
  attempts: ["Attempts", "次数"],
  none: ["Nothing.", "无。"],
  nothingInDoubt: ["Nothing waits for a person.", "没有需要人工处理的交易。"],
  "pending-close": ["Close", "了结"],
  "pending-hold": ["Hold", "暂停发送"],
  "pending-release": ["Release", "恢复发送"],
  "pending-retry": ["Retry now", "立即重发"],
  held: ["held", "已暂停"],
  of: ["of", "共"],
  forPersons: ["A person has to settle these", "待人工处理"],
  "cut-over": ["Cut over", "日切"],
  correct: ["Correct", "更正日期"],
  toDay: ["The new business day", "新的营业日"],
  nextDay: ["Next day", "下一营业日"],
  unknownDay: ["not known yet", "尚未获知"],
  noDays: [
    "No link keeps a business day: give it `businessDay` in the configuration.",
    "没有链路配置营业日（businessDay）。"
  ],
  totals: ["Totals", "合计"],
  field: ["Field", "域"],
  fieldName: ["Name", "名称"],
  value: ["Value", "值"],
  changes: ["Both sides of each message", "两侧报文对照"],
  "change-request": ["Request", "请求"],
  "change-answer": ["Answer", "应答"],
  "change-reversal": ["Reversal", "冲正"],
  fromSide: ["As it came", "收到"],
  toSide: ["As it left", "发出"],
  whyChanged: ["Why it was changed", "变更原因"],
  bytes: ["Bytes, covered", "报文字节（已屏蔽）"],
  whyNone: ["Why no request?", "应答为何无匹配？"],
  allFound: ["Every answer has found its request.", "所有应答均已匹配到请求。"],
  wrongKey: [
    "A STAN has 1 to 12 digits 0-9, an RRN 1 to 12 ASCII characters.",
    "流水号为 1 至 12 位半角数字，检索参考号为 1 至 12 个半角字符。"
  ],
  giveKey: ["Enter a STAN or an RRN.", "请输入流水号或检索参考号。"],
  "answer-late": ["Late answer", "迟到应答"],
  "answer-unmatched": ["Answer without a request", "无匹配应答"],
  "answer-duplicateAnswer": ["Second answer", "重复应答"],
  nearest: ["Nearest request: exchange", "最接近的请求：交易"],
  sameFields: ["same fields of the key", "相同的匹配域"],
  ofRequest: ["In the request", "请求中"],
  ofAnswer: ["In the answer", "应答中"],
  find: ["Find", "查询"],
  stan: ["STAN (DE 11)", "流水号 (DE 11)"],
  rrn: ["RRN (DE 37)", "检索参考号 (DE 37)"],
  notFound: ["No exchange matches.", "没有匹配的交易。"],
  more: ["more match", "条更多结果"],
  why: ["Reason, for the journal", "原因（写入日志库）"],
  whyHint: ["1 to 120 ASCII characters, no card number", "1 至 120 个英文字符，不得含卡号"],
  doing: ["Under way …", "执行中…"],
  doIt: ["Do it", "执行"],
  cancel: ["Cancel", "取消"],
  exchange: ["Exchange", "交易号"],
  deliveries: ["Delivery", "转发"],
  never: ["never", "从未"],
  block: ["Block", "停用"],
  unblock: ["Unblock", "启用"],
  echo: ["Echo", "线路测试"],
  cut: ["Cut", "切断"],
  "sign-on": ["Sign on", "签到"],
  "sign-off": ["Sign off", "签退"],
  retry: ["Dial now", "立即重连"],
  drain: ["Drain", "排空"],
  waiting: ["waiting", "等待"],
  "under way": ["under way", "已发未应答"],
  resting: ["resting", "等待重发"],
  abandoned: ["abandoned", "已放弃"],
  declined: ["declined", "对方拒绝"],
  unreversed: ["unreversed", "无法冲正"],
  deliveredBySwitch: ["Being delivered by the switch", "由交换机继续发送"]
}

let column = (localStorage.getItem("jinka-language") ?? navigator.language).startsWith("zh") ? 1 : 0

/** The word under a key, or the key itself where there is none. */
export const word = (key) => words[key]?.[column] ?? key

/** The word under a key; `undefined` where there is none. */
export const wordOf = (key) => (Object.hasOwn(words, key) ? words[key][column] : undefined)

/** Whether the reader has chosen 中文. */
export const isChinese = () => column === 1

/** The language as HTML names it. */
export const language = () => (column === 1 ? "zh-CN" : "en")

/** Changes to the other one, for this browser from now on. */
export const otherLanguage = () => {
  column = 1 - column
  localStorage.setItem("jinka-language", language())
}

/** `3 s`, `4 min`, `2 h`, `5 d`. */
export const duration = (ms) => {
  if (ms === null || ms === undefined) return word("never")
  const seconds = Math.floor(ms / 1000)
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** A moment as the reader's clock shows it. */
export const time = (ms) => new Date(ms).toLocaleString(language(), { hour12: false })

/** Three digits are enough to look at. */
export const short = (value) => {
  if (!Number.isFinite(value)) return "–"
  if (value >= 100) return Math.round(value).toLocaleString("en")
  return value >= 10 ? value.toFixed(1) : value.toFixed(value === 0 ? 0 : 2)
}

/**
 * @jinka/simulator: the institutions on both sides of a switch, a fault proxy, and the checker that reconciles a run.
 *
 * Shares no link, exchange or journal code with @jinka/switch.
 */

export { Acquirer, type AcquirerSettings } from "./acquirer/Acquirer.ts"
export type { AcquirerTotals } from "./acquirer/AcquirerTotals.ts"
export type { LatencyTotals, Percentiles } from "./acquirer/Latency.ts"
export { type AcquirerRun, type RunningAcquirer, startAcquirer } from "./acquirer/RunningAcquirer.ts"
export { type Mix, usualMix, usualWorkload, type WorkloadSettings } from "./acquirer/Workload.ts"
export { type Card, type CardSettings, cardsOf, hasLuhn } from "./chance/Cards.ts"
export { Chance, chanceOf } from "./chance/Chance.ts"
export { type Canary, canariesOf, findCardData } from "./checker/CardLeaks.ts"
export { check, type RuleResult, rules, type Verdict } from "./checker/Checker.ts"
export type { Evidence, JournalEnd, JournalTransaction, SwitchCounters } from "./checker/Evidence.ts"
export { type EvidencePaths, readEvidence } from "./checker/EvidenceFiles.ts"
export type { Finding, Rule } from "./checker/Rule.ts"
export type { Totals } from "./checker/Totals.ts"
export * from "./dialogue/index.ts"
export { type History, HistoryLine, memoryHistory, parseHistory } from "./history/History.ts"
export { type BehaviourSettings, plainBehaviour, type Shares } from "./issuer/Behaviour.ts"
export { Issuer, type IssuerSettings } from "./issuer/Issuer.ts"
export type { IssuerTotals } from "./issuer/IssuerTotals.ts"
export { Ledger, type LedgerTotals, type Posting } from "./issuer/Ledger.ts"
export { type IssuerRun, type RunningIssuer, startIssuer } from "./issuer/RunningIssuer.ts"
export type { FlowFaults } from "./link/FaultFlow.ts"
export { type Direction, type FaultProxy, makeFaultProxy } from "./link/FaultProxy.ts"
export type { Endpoint } from "./link/Listener.ts"
export type { Cut, LinkSettings, PartnerLink } from "./link/PartnerLink.ts"
export { cupsForm, type MessageForm } from "./message/CupsMessage.ts"
export { type KeyFields, originalData, originalKey, stanOf, transactionKey } from "./message/Transaction.ts"
export { acquirerTable, issuerTable, moneyText, verdictLine, verdictTable } from "./report/Report.ts"
export { FileFailed, FileMalformed, ListenFailed, SettingInvalid, type SimulatorError } from "./SimulatorError.ts"

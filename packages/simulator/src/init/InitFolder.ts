/**
 * A folder to hold one's own system to the rules of its links: a partner that stands in, dialogues, the shipped switch as the
 * first system under test, one command that runs it all, and a CI file. Pure: what the files hold, by their names.
 */
import type { Layout } from "@jinka/codec"
import { amountText, institutions, loadMessages, messagesText, testCard } from "./InitMessages.ts"

/** What a new folder is made of. */
export interface InitSettings {
  readonly layout: Layout
  /** How files name the dialect. */
  readonly dialect: string
  /** Where the system under test listens for the acquirer, and the stand-in for the system. */
  readonly acquirerPort: number
  readonly issuerPort: number
}

/** Amounts, in minor units, by which the stand-in knows what to answer. */
const amounts = { insufficient: 5_100, limit: 6_100, silent: 9_800 }

const partnerText = ({
  dialect,
  issuerPort
}: InitSettings): string => `# The issuer behind your system, played by: jinka-sim partner partners/issuer.yaml
# It is read again when you change it. Every key: docs/reference/partners.md of Jinka.
partner: issuer
dialect: ${dialect}
institution: "${institutions.issuer}"
far side: "${institutions.centre}"
link: { mode: async-duplex, listen: "127.0.0.1:${issuerPort}" }

# Minor units. Other cards have no account.
accounts:
  "${testCard}": { balance: 100000000 }

# The first rule that fits says what happens; without one the account decides.
rules:
  - when: { amount: "${amounts.insufficient}", type: request }
    answer: insufficient funds
  - when: { amount: "${amounts.limit}", type: request }
    answer: amount limit
  - when: { amount: "${amounts.silent}", type: request }
    silence: yes

history: ../.run/issuer.jsonl
ledger: ../.run/issuer-ledger.jsonl
`

const openingText = (
  { dialect }: InitSettings,
  accepted: string,
  code: number
): string => `# Acquirer A is connected and has signed on: what dialogues begin with that say \`first: signed-on.yaml\`.
dialect: ${dialect}
messages: messages.yaml
partners:
  A: connects to acquirer, answers echo
steps:
  - A connects
  - A sends: { like: sign-on, as: opened }
  - A expects: { answer to: opened, ${code}: "${accepted}" }
`

/** The dialogues by their file's name. */
const dialogues = (settings: InitSettings): Readonly<Record<string, string>> => {
  const { dialect, layout } = settings
  const { answers, roles } = layout
  const { refusal, responseCodes } = layout.dialect
  const code = roles.responseCode
  const named = (name: string): string =>
    Object.keys(responseCodes).find((one) => responseCodes[one]!.name === name) ?? refusal.malfunction
  const amount = (minor: number): string => amountText(layout, minor)
  return {
    "signed-on.yaml": openingText(settings, answers.accepted, code),
    "an-echo-is-answered.yaml": `rule: An echo is answered at once, with its own values.
source: your agreement with the partner
first: signed-on.yaml
steps:
  - A sends: { like: echo, as: asked }
  - A expects: { answer to: asked, ${code}: "${answers.accepted}", within: 2s }
`,
    "a-purchase-is-approved.yaml": `rule: A purchase of any amount is approved, with an approval code.
source: your agreement with the partner
first: signed-on.yaml
cases: { amount: ["${amount(100)}", "${amount(12_300)}", "${amount(999_900)}"] }
steps:
  - A sends: { like: purchase, ${roles.amount}: "{case.amount}", as: asked }
  - A expects: { answer to: asked, ${code}: "${answers.approved}", matches: { ${roles.approvalCode}: ".{6}" } }
`,
    "a-refusal-of-the-issuer-is-passed-on.yaml": `rule: The issuer's code {case.code} reaches the acquirer as it is.
source: your agreement with the partner
first: signed-on.yaml
cases:
  - { amount: "${amount(amounts.insufficient)}", code: "${named("insufficient funds")}" }
  - { amount: "${amount(amounts.limit)}", code: "${named("amount limit")}" }
steps:
  - A sends: { like: purchase, ${roles.amount}: "{case.amount}", as: asked }
  - A expects: { answer to: asked, ${code}: "{case.code}" }
`,
    "a-repeated-request-gets-the-same-answer.yaml": `rule: A request that comes again gets the same answer, and is not booked again.
source: your agreement with the partner
first: signed-on.yaml
steps:
  - A sends: { like: purchase, as: asked }
  - A expects: { answer to: asked, ${code}: "${answers.approved}", as: answer }
  - A sends: { again: asked }
  - A expects: { answer to: asked, ${code}: "${answers.approved}", ${roles.approvalCode}: "{answer.${roles.approvalCode}}" }
`,
    "a-reversal-is-acknowledged.yaml": `rule: The reversal of an approved purchase is acknowledged.
source: your agreement with the partner
first: signed-on.yaml
steps:
  - A sends: { like: purchase, as: asked }
  - A expects: { answer to: asked, ${code}: "${answers.approved}" }
  - A sends: { like: reversal, as: reversal }
  - A expects: { answer to: reversal, ${code}: "${answers.approved}" }
`,
    "no-answer-in-time-is-told.yaml": `rule: When the issuer says nothing, the acquirer hears so in time.
source: your agreement with the partner
first: signed-on.yaml
steps:
  - A sends: { like: purchase, ${roles.amount}: "${amount(amounts.silent)}", as: asked }
  - A expects: { answer to: asked, ${code}: "${refusal.noAnswer}", not before: 1s, within: 10s, since: asked }
`,
    "the-first-connection-of-many-is-as-good-as-the-last.yaml": `rule: Five purchases, one after the other, are each answered under their own number.
source: your agreement with the partner
dialect: ${dialect}
first: signed-on.yaml
steps:
  - repeat: 5
    steps:
      - A sends: { like: purchase, as: "asked{n}" }
  - repeat: 5
    steps:
      - A expects: { mti: "{asked{n}.mti:1-2}10", ${roles.stan}: ["{asked1.${roles.stan}}", "{asked2.${roles.stan}}", "{asked3.${roles.stan}}", "{asked4.${roles.stan}}", "{asked5.${roles.stan}}"] }
`
  }
}

const loadText = ({
  acquirerPort,
  dialect,
  layout
}: InitSettings): string => `# Twenty purchases a second for seven seconds, and how long each took: LOAD=yes sh run.sh
# What the system can do: jinka-sim load load.yaml --find-knee "p99 < 100 ms"
seed: 1
links:
  acquirer: { connect: "127.0.0.1:${acquirerPort}", dialect: ${dialect}, sign on: signOn }
messages:
${loadMessages(layout)}
mix:
  - 1 purchase
profile:
  - poisson 20/s for 7s
# Requests of the first seconds are sent and not measured: programs that have just begun are slower.
warm up: 2s
timeout: 5s
`

const switchText = ({
  acquirerPort,
  dialect,
  issuerPort,
  layout
}: InitSettings): string => `# The system under test until it is yours: Jinka, with the acquirer on one side and the issuer on the other.
name: under-test
institution: "${institutions.centre}"

journal:
  directory: .run/journal
  key: { env: JINKA_JOURNAL_KEY }

requestTimeout: 3 seconds

links:
  - name: acquirer
    institution: "${institutions.acquirer}"
    dialect: ${dialect}
    listen: { host: 127.0.0.1, port: ${acquirerPort}, from: [127.0.0.1], second: replace }
    signOn: { expect: true }

  - name: issuer
    institution: "${institutions.issuer}"
    dialect: ${dialect}
    connect: { host: 127.0.0.1, port: ${issuerPort} }
    reconnect: { min: 100 millis, max: 500 millis }

routes:
  - { bin: "${testCard.slice(0, 6)}", to: issuer }
${layout.header === undefined ? "" : "# Addresses are in the header of each message: destination is the switch, source is the partner.\n"}`

const runText = ({ acquirerPort }: InitSettings): string => `#!/bin/sh
# Runs everything: the stand-in, the system under test (here Jinka), and the dialogues. Ends with 0 when every rule was kept.
# Your own system: leave out what starts the switch, and say where it is: TARGET=acquirer=10.0.0.1:7001 sh run.sh
set -eu
cd "$(dirname "$0")"
# Programs are looked for in node_modules/.bin, here and above, as npm does.
above=$PWD
found=
while [ "$above" != / ]; do
  found=$found$above/node_modules/.bin:
  above=$(dirname "$above")
done
PATH=$found$PATH
SIM=\${JINKA_SIM:-jinka-sim}
SWITCH=\${JINKA:-jinka}
TARGET=\${TARGET:-}
needed=\${SIM%% *}
if [ -z "$TARGET" ]; then needed="$needed \${SWITCH%% *}"; fi
for program in $needed; do
  command -v "$program" > /dev/null && continue
  echo "$program is not here: npm install @jinka/simulator @jinka/switch" >&2
  exit 2
done
rm -rf .run
mkdir -p .run

$SIM partner partners/issuer.yaml --screen lines > .run/issuer.log 2>&1 &
issuer=$!
trap 'kill $issuer 2> /dev/null || true' EXIT
# A shell that a signal ends would leave them running: it ends by itself, and then they do.
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tries=0
until grep -q '"event":"started"' .run/issuer.log; do
  tries=$((tries + 1))
  if [ $tries -gt 120 ] || ! kill -0 $issuer 2> /dev/null; then
    echo "the stand-in for the issuer did not start. It says:" >&2
    cat .run/issuer.log >&2
    exit 1
  fi
  sleep 0.5
done

if [ -z "$TARGET" ]; then
  JINKA_JOURNAL_KEY=\${JINKA_JOURNAL_KEY:-$(od -An -N32 -tx1 /dev/urandom | tr -d ' \\n')}
  export JINKA_JOURNAL_KEY
  $SWITCH run switch.yaml > .run/switch.log 2> .run/switch.err &
  system=$!
  trap 'kill $system $issuer 2> /dev/null || true; wait $system 2> /dev/null || true' EXIT
  tries=0
  until grep -q ' issuer#[0-9]* ready' .run/switch.err 2> /dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 120 ] || ! kill -0 $system 2> /dev/null; then
      echo "the switch has no link to the stand-in. They say:" >&2
      cat .run/switch.err .run/issuer.log >&2
      exit 1
    fi
    sleep 0.5
  done
  TARGET=acquirer=127.0.0.1:${acquirerPort}
fi

$SIM dialogue run dialogues --target "$TARGET" --junit .run/report.xml --html .run/report.html

if [ -n "\${LOAD:-}" ]; then
  $SIM load load.yaml --html .run/load.html
fi
`

const ciText = `# GitHub Actions. Any other CI runs the same two lines, and reads the same JUnit file.
name: links
on: [push]
jobs:
  links:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24 }
      - run: npm install --global @jinka/simulator @jinka/switch
      - run: sh run.sh
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: links
          path: .run/report.*
          include-hidden-files: true
`

const readmeText = ({ acquirerPort, issuerPort }: InitSettings): string => `# Our links, held to their rules

    sh run.sh

runs everything here and ends with 0 when every rule was kept. \`.run/report.html\` shows what was said, \`.run/report.xml\` is for the CI.

| File | What it is |
| --- | --- |
| \`partners/issuer.yaml\` | the stand-in for the issuer, listens on ${issuerPort} |
| \`dialogues/*.yaml\` | one rule a file: what the acquirer sends, and what it expects |
| \`dialogues/messages.yaml\` | the messages that dialogues start from |
| \`load.yaml\` | a load and its mix; \`LOAD=yes sh run.sh\` runs it after the dialogues |
| \`switch.yaml\` | the system under test until it is yours: Jinka, listens on ${acquirerPort} |
| \`.github/workflows/links.yaml\` | the same in CI |

Your own system takes the place of the switch: let it connect to the stand-in (or turn \`listen\` into \`connect\`), and say where it listens:

    TARGET=acquirer=10.0.0.1:7001 sh run.sh

Then change what is not as you agreed with your partner: dialect and frame, codes, messages, rules. \`jinka-sim partner FILE --check\` says what is wrong
with a partner file, \`jinka-sim dialogue run\` with a dialogue. \`jinka-sim dialogue record\` writes one from live traffic.
`

/** All files of a new folder by their paths in it. */
export const initFiles = (settings: InitSettings): ReadonlyMap<string, string> =>
  new Map([
    ["README.md", readmeText(settings)],
    ["partners/issuer.yaml", partnerText(settings)],
    ["dialogues/messages.yaml", messagesText(settings.layout)],
    ...Object.entries(dialogues(settings)).map(([name, text]) => [`dialogues/${name}`, text] as const),
    ["load.yaml", loadText(settings)],
    ["switch.yaml", switchText(settings)],
    ["run.sh", runText(settings)],
    [".github/workflows/links.yaml", ciText],
    [".gitignore", ".run/\n"]
  ])

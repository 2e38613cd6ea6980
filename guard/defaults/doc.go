// Package defaults assembles the detectors of guard into the checks of a
// pipeline, with policies that harm no ordinary user:
//
//	o, err := defaults.New(&defaults.Options{Tools: tools})
//	…
//	o.Logger, o.OnVerdict = logger, show
//	model, err := guard.New(client, o)
//
//	stage         flood  secrets  injection  personal data  links   canary
//	input         block  redact   block      flag
//	documents     block  redact   block
//	tool results  block  redact   redact
//	tool calls           block                                      block
//	output        block  redact              flag           redact  block
//
// Blocking a tool's result would end an agent's run because of a web page, so
// the passage is removed and the run goes on; a [guard.Retriever] leaves a
// blocked document out. Secrets must not reach a provider or appear in an
// answer. Personal data often must: "mail it to ana@example.org" needs the
// address. [Options] has a policy for each check. Pictures and files, which no
// check reads, are reported; a picture that the provider would fetch must have
// a public address.
//
// # How long a stream is held
//
// A check of the output that blocks or redacts holds a stream back until it has
// decided it. The default checks hold an ordinary answer back by a word:
//
//	check          holds back                                of ordinary text
//	flood          nothing: it stops, and takes nothing back           0 bytes
//	secrets        what may yet become a key, at most 8 KiB         64 bytes
//	personal data  what may yet become a number or address          64 bytes
//	links          a word with marks in it, a tag; at most 4 KiB    64 bytes
//	canary         letters that begin the canary                    32 bytes
//
// A check that only flags or shadows holds nothing. TestLag measures the figures on
// prose in four scripts, code, tables and lists.
//
// The result is an ordinary [guard.Options]: change what you need to.
package defaults

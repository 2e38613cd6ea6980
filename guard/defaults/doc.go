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
// The result is an ordinary [guard.Options]: change what you need to.
package defaults

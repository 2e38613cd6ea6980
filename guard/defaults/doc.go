// Package defaults assembles the detectors of guard into the checks of a pipeline, with
// policies that disturb few ordinary users.
//
// # The idea
//
// A first guard should need one call. [New] returns a [guard.Options] with the usual checks at
// every stage, each with a policy. The result is an ordinary value: change a check, take one out, or
// add your own.
//
// The table shows what each check does at each stage:
//
//	stage         flood  secrets  injection  personal data  links   canary
//	input         block  redact   block      flag
//	documents     block  redact   block
//	tool results  block  redact   redact
//	tool calls           block                                      block
//	output        block  redact              flag           redact  block
//
// An attack in a tool's result is removed and not blocked, because blocking would end an agent's
// run because of one web page. A [guard.Retriever] leaves a blocked document out.
//
// Secrets are redacted at every stage, because they must not reach a provider or appear in an
// answer. In a tool call they block, because a placeholder would be used as a value.
//
// Personal data is only flagged by default, because many requests need it: "mail it to
// ana@example.org" needs the address. Options.PersonalInput and Options.PersonalOutput change that.
//
// Pictures and files are reported, because no check reads them. A picture that the provider would
// fetch must have a public address.
//
// # How long a stream is held
//
// A check of the output that blocks or redacts holds a stream back until it has decided it. The
// default checks hold an ordinary answer back by about a word:
//
//	check          holds back                                of ordinary text
//	flood          nothing: it stops, and takes nothing back           0 bytes
//	secrets        what may yet become a key, at most 8 KiB         64 bytes
//	personal data  what may yet become a number or address          64 bytes
//	links          a word with marks in it, a tag; at most 4 KiB    64 bytes
//	canary         letters that begin the canary                    32 bytes
//
// A check that only flags or shadows holds nothing. "go test -run TestLag ./guard/defaults" measures
// the figures on prose in four scripts, code, tables and lists.
//
// # A minimal program
//
// The program guards a model with the default checks and its own tools:
//
//	o, err := defaults.New(&defaults.Options{Tools: tools})
//	…
//	o.Logger, o.OnVerdict = logger, show
//	model, err := guard.New(client, o)
//
// # Pitfalls
//
//   - Don't leave Options.Tools nil if the model may call tools: because then only the arguments are
//     checked, and taint limits nothing. List each tool, and mark those that only read.
//   - Don't expect the default checks to find hate or violence: because they look for attacks, floods,
//     secrets, personal data and links. Add a check that calls your provider's filter.
//   - Don't raise every policy to block on the first day: because flagged personal data is common in
//     honest requests. Look at the log for a week first.
//
// # Questions
//
// Why is the injection threshold .7 here and .5 in the detector? The injection threshold is
// higher here than in the detector because a block costs a user an answer, and a missed attack
// meets other layers. With [InjectionThreshold] less is flagged: on sources that the
// classifier has seen, .7 keeps nine tenths of the hits with a third of the false alarms.
//
// How do I turn one default check off? To turn one default check off, take it out of the
// options that [New] returns, by its Name: "injection" and "personal data" are such names. An
// empty list of personal kinds is refused, so that a check is never turned off by mistake.
//
// How do I keep personal data from the provider? To keep personal data from the provider, set
// Options.PersonalInput to guard.PolicyRedact: each value is replaced by its kind, such as
// [EMAIL], before the model is called. To get the values back in the answer, use a Vault of
// guard/detect instead.
package defaults

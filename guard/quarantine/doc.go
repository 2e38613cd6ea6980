// Package quarantine lets a model work with text that it must not read: the dual LLM pattern.
//
// # The problem
//
// A model that has read a document may be acting for the document. A filter before it misses some
// attacks, and one that is missed is enough if the model can send mail or money.
//
// # The idea
//
// The model that plans and calls tools never reads a document. It sees names: {{v1}} is the mail, {{v2}} its
// summary. A second model, which has no tools and no memory, reads the texts that the names stand for, and
// its answers become names again. A document can change the text of a name and nothing else: not
// which tool is called, nor with which recipient.
//
//	user ──▶ privileged model ──▶ tool call with {{v2}} ──▶ program puts the text in
//	              ▲  names only                                    │ Expand
//	              │                                                ▼
//	          {{v1}}, {{v2}}      document ──▶ reading model ──▶ {{v2}}
//	                                           no tools
//
// A type keeps the rule. A [Value] prints as its name, however it is printed, so text can't get into a
// prompt by accident. Only Reveal returns the text, and a reviewer can search for that word.
//
// Where the plan must depend on the content, ask for one of a few words that the program wrote
// ([Session.Choose]). An attacker can then choose among these words, and can do nothing more.
//
// # Terms
//
//   - Dual LLM pattern (also: dual-model pattern, two models): The dual LLM pattern uses a privileged model
//     that acts and never reads untrusted text, and a quarantined model that reads it and can't act.
//   - Privileged model (also: planner): A privileged model plans and calls tools. It sees the user's words and
//     names of values.
//   - Quarantined model (also: reading model, reader): A quarantined model reads untrusted text. It has no
//     tools, and its answers are untrusted values.
//   - Value: A value is a piece of untrusted text with a name. [Value] prints as the name.
//
// # A minimal program
//
// The program summarizes a mail without letting the privileged model read it:
//
//	s, err := quarantine.New(readingModel)
//	mail := s.Hold(text)                                       // {{v1}}
//	summary, err := s.Ask(ctx, "Summarize this mail.", mail)   // {{v2}}
//	plan, err := privileged.Call(ctx, "Send "+summary.String()+" to my team.")
//	sent := s.Expand(plan)                                     // the text in place of {{v2}}
//
// # Pitfalls
//
//   - Don't reveal a value into the privileged prompt "just this once": because that line undoes the whole
//     pattern. Ask the reading model, or let it choose among fixed words.
//   - Don't let a choice of two decide on much: because the attacker makes it. "Is this mail urgent?" must not
//     decide on a refund.
//   - Don't show an expanded text unchecked: because it is still untrusted. Clean it with guard/sink.
//
// # Questions
//
// When should I use the dual LLM pattern in place of taint? Use the dual LLM pattern where an
// action must never depend on a document's wording, such as payments. Taint in package guard
// needs no second model and works with any agent, but it asks the user in doubt. The pattern
// costs a second model call for each question.
//
// # Further reading
//
//   - S. Willison: The dual LLM pattern for building AI assistants that can
//     resist prompt injection, 2023.
//   - E. Debenedetti et al.: Defeating prompt injections by design.
//     arXiv:2503.18813, 2025.
package quarantine

// Package quarantine lets a model work with text that it must not read: the
// dual-model pattern.
//
// # The lecture
//
// Lecture 8. A model that has read a document may be acting for the document. So
// let the model that plans and calls tools never read one. It sees names:
// {{v1}} is the mail, {{v2}} its summary. A second model, which has no tools and
// no memory, reads what is behind the names and writes answers that are names
// again. What the document says can change what stands behind a name, and
// nothing else: not which tool is called, nor with whom.
//
//	user ──▶ privileged model ──▶ tool call with {{v2}} ──▶ program puts the text in
//	              ▲  names only                                    │ Expand
//	              │                                                ▼
//	          {{v1}}, {{v2}}      document ──▶ reading model ──▶ {{v2}}
//	                                           no tools
//
// The rule is kept by a type. A [Value] prints as its name, however it is
// printed, so text can't slip into a prompt by accident; to get at it one must
// write Reveal, and a reviewer can search for that word.
//
// Where the plan must depend on the content, ask for one of a few words that the
// program wrote ([Session.Choose]). An attacker can choose among them; that is all
// they can do.
//
// # Pitfalls
//
//   - Revealing a value into the privileged prompt "just this once". The pattern
//     is the absence of that line.
//   - A choice of two is a lever too: "is this mail urgent?" must not decide on a
//     refund.
//   - What is shown to the user is still untrusted: clean it (guard/sink).
//
// # Further reading
//
//   - S. Willison: The dual LLM pattern for building AI assistants that can
//     resist prompt injection, 2023.
//   - E. Debenedetti et al.: Defeating prompt injections by design.
//     arXiv:2503.18813, 2025.
package quarantine

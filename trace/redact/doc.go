// Package redact removes secrets and personal data from spans and log records
// before they leave the process.
//
// # The idea
//
// A trace is read by more people, and kept longer, than a prompt may be. Content is
// off by default in package trace, but text gets into spans by other ways too: an
// error that quotes the prompt, a span name made from a path, an event of a layer, a
// status description, a link. [New] wraps an exporter and passes each text of each
// span through one function, [Mask]: names, attributes, events, links, status and
// resource. [NewHandler] does the same for log records.
//
// The mask runs before the exporter sees anything, so that what is derived from
// spans later (totals, labels, indexes) is made of redacted text. It fails closed: if
// the mask panics, the value is replaced by [Failed], and the other spans of the
// batch are exported.
//
// # A minimal program
//
// The program's middle: packages guard/pii and guard/secret have detectors of
// personal data and secrets; here two patterns are enough.
//
//	mask, err := redact.Patterns(map[string]string{
//		"EMAIL": `[\w.+-]+@[\w-]+\.[\w.]+`,
//		"KEY":   `sk-[A-Za-z0-9]{20,}`,
//	})
//	if err != nil {
//		return err
//	}
//	clean, err := redact.New(exporter, mask, nil)
//	if err != nil {
//		return err
//	}
//	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(clean))
//
// # Pitfalls
//
//   - Don't add a second exporter beside the one that is wrapped: it gets the spans
//     unredacted. Do wrap each.
//   - Don't rely on patterns alone for names and addresses: they find what has a
//     form. Do leave content off where it is not needed.
//   - Don't hash a secret instead of removing it: short secrets are found again by
//     trying all of them.
//
// # Questions
//
// How do I keep secrets and personal data out of traces? Leave Options.Content of
// package trace off, and wrap the exporter with [New] of this package all the same:
// error texts, span names and events of other libraries can contain them too.
package redact

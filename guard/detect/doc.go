// Package detect finds values in text and takes them out again, in a whole text or in a stream,
// with the same result.
//
// # The problem
//
// A model streams its answer. The guard after it replaces card numbers by [CREDIT_CARD] with a regular
// expression, chunk by chunk. One day the provider cuts its chunks differently: a number arrives as
// "41111111" and "11111111", and both halves pass. Nothing failed and nothing was logged. Many guards
// for streams have had this bug.
//
// # The idea
//
// A longer overlap between chunks does not repair that. Each rule must be able to answer one question:
// given the text so far, is it decided whether a value starts here? A rule of this package has three
// answers:
//
//	n > 0     a value of n bytes starts here, whatever follows
//	0         none does, whatever follows
//	NeedMore  it depends on text that has not come yet
//
// A stream then releases everything before the first undecided position and holds the rest:
//
//	text so far   Card 4111 1111 1111 11
//	              └────┘└────────────────┘
//	              emit    hold: NeedMore
//
// A rule sees at most [LookbehindBytes] bytes before the position and Max bytes after it, in both modes.
// That bounds what is held, makes the scan linear, and makes the two modes equal by construction. A
// fuzz test compares them.
//
// Where several rules match at a position, the longest value wins, then the rule that was listed first.
// The scan goes on after the value: leftmost-longest, as in POSIX regular expressions. So a URL with a
// password hides the part of it that looks like a mail address.
//
// # Terms
//
//   - Detector: A detector finds values of some kinds in a text, such as mail addresses or keys.
//     [Detector] is made of rules.
//   - Finding: A finding is one value in a text: its kind, its place in bytes, a score and a reason.
//   - Redaction (also: masking, redacting): Redaction replaces a value in a text by something that does
//     not reveal it. [Detector.Redact] does it.
//   - Pseudonymization (also: tokenization): Pseudonymization replaces a value by a name that can be turned
//     back by the owner of a table or a key. [Vault] and [Hash] do it.
//   - Hold-back: The hold-back is the end of a stream's text that is not released yet, because a value may
//     begin in it.
//
// # What to put in a value's place
//
// There are four ways to replace a value:
//
//   - [Label] writes the kind, as in [EMAIL]. Nothing of the value remains.
//   - [Mask] keeps the end, as in ************1111, where a person must recognize their own card.
//   - [Hash] writes a keyed hash, as in [EMAIL:9f2c…]. The same value gives the same mark, so logs can
//     still be joined. It needs a key, because an unkeyed hash of a phone number is undone by trying all
//     phone numbers.
//   - [Vault] writes a name, as in [EMAIL_1_k3xz], and puts the value back into the answer. The model can
//     reason about "the first address" without having seen it.
//
// # A minimal program
//
// The program redacts a whole text, and then a stream:
//
//	d, _ := pii.New(nil)
//	fmt.Println(d.Redact("mail ana@example.org", detect.Label)) // mail [EMAIL]
//
//	s := d.Stream(detect.Label)
//	for chunk := range answer {
//		emit(s.Write(chunk))
//	}
//	emit(s.Close())
//
// Rules of several packages go into one detector, so that overlaps are resolved among all of them:
//
//	d, _ := detect.New(slices.Concat(secretRules, piiRules)...)
//
// # Pitfalls
//
//   - Don't redact a stream after it was shown: because what was shown can't be taken back. Redact with
//     [Detector.Stream], which holds text until it is decided.
//   - Don't count offsets in runes, in UTF-16 or in normalized text: because they point to other places.
//     Offsets here are always bytes of the text that was given.
//   - Don't split text between the bytes of a character: because half a character is shown as a
//     replacement sign. Pieces from [Stream] never end inside one if the text is valid UTF-8.
//
// # Questions
//
// Why not use a regular expression on each chunk? A regular expression sees one chunk and can't answer
// "it depends on what follows". A value that is cut between two chunks passes in two halves. A [Rule]
// has that third answer, so the stream holds the text until the value is whole.
//
// How do I find my own customer numbers? To find your own customer numbers, write a [Rule]
// with a Kind and a function that answers for one position, and give it to [New]. It returns
// NeedMore where the text ends inside a possible number.
//
// Should I mask, hash or tokenize personal data? For personal data, use [Label] if the value
// is not needed again. Use [Hash] in logs that must be joined. Use [Vault] if the model's
// answer must contain the value in the end.
//
// # Exercises
//
//  1. Write a rule for your company's customer numbers. When must it return NeedMore?
//  2. Take the right-hand boundary check out of a rule. Which chunking leaks?
//  3. Measure how long text is held back at most for each kind of value.
//
// # Further reading
//
//   - POSIX.1-2017, 9.1 Regular Expression Definitions (leftmost, longest).
//   - OWASP LLM02:2025 Sensitive Information Disclosure.
package detect

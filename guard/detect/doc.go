// Package detect finds values in text and takes them out again, in a whole
// text or in a stream, with the same result.
//
// # The lecture
//
// A model streams its answer. The guard behind it replaces card numbers by
// [CREDIT_CARD] with a regular expression, chunk by chunk. One day the
// provider cuts its chunks differently, a number arrives as "41111111" and
// "11111111", and both halves pass. Nothing failed and nothing was logged. Most
// published guard bugs about streams are this one.
//
// The cure is not a longer overlap but a question each rule must be able to
// answer: given the text so far, is it decided whether a value starts here? A
// rule of this package has three answers:
//
//	n > 0     a value of n bytes starts here, whatever follows
//	0         none does, whatever follows
//	NeedMore  it depends on text that has not come yet
//
// The stream then emits everything before the first undecided position and
// holds the rest:
//
//	text so far   Card 4111 1111 1111 11
//	              └────┘└────────────────┘
//	              emit    hold: NeedMore
//
// A rule sees at most [LookbehindBytes] bytes before the position and Max bytes
// after it, in both modes. That bounds the hold-back, makes the scan linear
// and makes the two modes equal by construction; a fuzz test compares them.
//
// Where several rules match at a position the longest value wins, then the
// rule that was listed first, and the scan goes on behind it: leftmost-longest,
// as POSIX regular expressions do. So a URL with a password hides the thing
// inside it that looks like an e-mail address.
//
// # A program
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
// Rules of several packages go into one detector, so that overlaps are
// resolved among all of them:
//
//	d, _ := detect.New(slices.Concat(secretRules, piiRules)...)
//
// # What to put in a value's place
//
//   - [Label]: [EMAIL]. Nothing of the value remains.
//   - [Mask]: ************1111, where a person must recognize their own card.
//   - [Hash]: [EMAIL:9f2c…]. The same value gives the same mark, so logs can
//     still be joined. It needs a key: an unkeyed hash of a phone number is
//     undone by trying all phone numbers.
//   - [Vault]: [EMAIL_1_k3xz], and back again in the answer. The model can still
//     reason about "the first address" without having seen it.
//
// # Pitfalls
//
//   - Redacting after the stream was shown. What was emitted can't be taken
//     back, so a rule must hold before it knows.
//   - Offsets in runes, in UTF-16 or in normalized text. Here they are always
//     bytes of the text that was given.
//   - Chunks that cut a rune: an emitted piece never ends inside one, as long as
//     the text is valid UTF-8.
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

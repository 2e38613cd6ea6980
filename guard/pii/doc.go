// Package pii finds personal data in text: mail addresses, telephone and card
// numbers, bank accounts, network addresses, national numbers, dates of birth,
// addresses and names.
//
// # The lecture
//
// Lecture 8. Two teams redact what goes to a model. The first has a list of
// regular expressions and blocks one order in thirty: order numbers have
// sixteen digits, and so have credit cards. The second lowers the sensitivity
// and forwards the passport of a customer. Both guess. But most numbers that
// identify people were made to be checked, because people mistype them:
//
//	number            check                              a random one passes
//	card              Luhn, issuer's range               1 in 25 or so
//	IBAN              mod 97, length of the country      1 in 97, and the letters
//	NHS, BSN          mod 11                             1 in 11
//	codice fiscale    check letter over 15 characters    1 in 26, and the form
//	SSN               none, only ranges never issued     9 in 10
//
// So a detector asks for the form, then for the check, and, where both are
// weak, for a word such as "NHS" close by ([KindsNeedingContext] lists those kinds). The score
// of a finding says how much that proves.
//
// # A program
//
//	d, _ := pii.New(nil)
//	vault, _ := detect.NewVault(nil)
//	prompt := d.Redact("Write to ana@example.org about IBAN DE89370400440532013000", vault.Tokenize)
//	// Write to [EMAIL_1_k3xz] about IBAN [IBAN_1_k3xz]
//	answer := vault.Restore(model(prompt))
//
// Detectors of this package are values of [detect.Detector]: they redact a stream with
// the same result as the whole text.
//
// # What is found, and how sure
//
// Formats with a check (cards, IBAN, most national numbers) and formats that
// speak for themselves (mail, IP, MAC) are near certain. [KindPhone] by grouping,
// [KindDateOfBirth] by a word before it and [KindStreetAddress] by a street's word are
// good guesses. [KindPerson] is a weak one and off by default: it needs a given name
// of the list (574 names, mostly European) or an introduction such as "Dr.".
// TestPersonLimits measures that: with a listed given name it finds all of its
// sentences, without one and without an introduction none. Text with the names of
// people in lower case, or in another script than Latin, is out of its reach.
//
// # Pitfalls
//
//   - Boundaries. 999.1.2.3 holds no IP address, and the tail of a hash is no
//     card. A value never starts or ends inside a word or a longer number.
//   - Test data. 4111111111111111 passes Luhn; so will every test card in your
//     documentation.
//   - Overlaps. The longest value wins: the address in
//     postgres://app:secret@db.example.net is not a mailbox.
//   - Redacting too much breaks answers. [detect.Vault] keeps references apart
//     and restores them.
//   - Pseudonymised is not anonymous. Whoever has the vault or the key of
//     [detect.Hash] can go back, and rare combinations identify without a name.
//
// # Exercises
//
//  1. Write ten random 16-digit numbers. How many pass Luhn, how many also fall
//     into an issuer's range?
//  2. Which transpositions of neighbouring digits does Luhn miss, and Verhoeff
//     not?
//  3. Turn [Options.AnyContext] on and run the test over the standard library.
//
// # Further reading
//
//   - ISO/IEC 7812-1 (Luhn), ISO 13616 (IBAN), ISO/IEC 7064 (check characters).
//   - J. Verhoeff: Error Detecting Decimal Codes, 1969.
//   - RFC 5321 section 4.5.3.1, RFC 5952 (IPv6 text), ITU-T E.164.
//   - L. Sweeney: Simple Demographics Often Identify People Uniquely, 2000.
//   - Microsoft Presidio, the peer this package is measured against.
package pii

// Package pii finds personal data in text: mail addresses, telephone and card numbers, bank
// accounts, network addresses, national numbers, dates of birth, addresses and names.
//
// # The problem
//
// Two teams redact what goes to a model. The first has a list of regular expressions and blocks one
// order in thirty: order numbers have sixteen digits, and so have credit cards. The second lowers the
// sensitivity and forwards the passport of a customer. Both guess.
//
// # The idea
//
// Most numbers that identify people were made to be checked, because people mistype them. So a
// detector asks for the form first and for the check then. The table shows the check of some numbers,
// and how many random numbers pass it:
//
//	number            check                              a random one passes
//	card              Luhn, issuer's range               1 in 25 or so
//	IBAN              mod 97, length of the country      1 in 97, and the letters
//	NHS, BSN          mod 11                             1 in 11
//	codice fiscale    check letter over 15 characters    1 in 26, and the form
//	SSN               none, only ranges never issued     9 in 10
//
// Where both form and check are weak, the detector needs a word such as "NHS" close before the number
// ([KindsNeedingContext] lists those kinds). The score of a finding expresses how much all of that
// proves.
//
// # Terms
//
//   - PII (also: personal data, personally identifiable information): PII is data that identifies a
//     person, alone or together with other data.
//   - Check digit (also: checksum): A check digit is a digit that is computed from the others, so that a
//     mistyped number is noticed.
//   - Luhn check (also: Luhn algorithm, mod 10): The Luhn check is the check digit of card numbers: every
//     second digit is doubled, and the sum must be a multiple of 10.
//   - IBAN (also: bank account number): An IBAN is an international bank account number, with a country, two
//     check digits and a length that the country fixes.
//   - Pseudonymization (also: tokenization): Pseudonymization replaces personal data by names that the owner
//     of a table can turn back. The data is still personal for that owner.
//   - Anonymization (also: anonymized data): Anonymization removes personal data so that no table or key can
//     bring it back, and no combination of what is left identifies a person.
//   - GDPR (also: data protection law, DSGVO): The GDPR is the European law on personal data. It asks for a
//     purpose, a legal basis, as little data as possible, and deletion on request.
//
// # What is found, and how sure
//
// Formats with a check (cards, IBAN, most national numbers) and formats that nothing else has (mail, IP,
// MAC) are near certain. [KindPhone] by grouping, [KindDateOfBirth] by a word before it and
// [KindStreetAddress] by a street's word are good guesses.
//
// Identity numbers of some countries, passports, driving licenses, bank routing numbers and UK postcodes
// have a weak form, or none. [KindUSABA], [KindUKPostcode], [KindPassport] and [KindDriverLicense] are found
// only after their word, such as "passport no.".
//
// A separator between groups of digits may be a blank, a hyphen, a dot, a non-breaking blank, a dash of
// typography or a zero-width character, as web pages, PDF files and models write them. All kinds read
// separators in one way, and the span of a finding covers them.
//
// [KindPerson] is a guess and off by default: it needs a given name of the list (18,153 names), a title such
// as "Dr.", a greeting or a closing. On 1,500 texts of presidio-research it finds 41 % of the names, and 94 %
// of what it finds are names; Presidio with a small neural model finds 64 %, and 70 % of its findings are
// names (cd internal/bench && go run ./guard/presidio). Names in capital letters, or in another script than
// Latin, are not found. TestPersonLimits shows more limits.
//
// # A minimal program
//
// The program replaces personal data before the call, and puts it back into the answer. Detectors are values
// of [detect.Detector], so they redact a stream with the same result as the whole text:
//
//	d, _ := pii.New(nil)
//	vault, _ := detect.NewVault(nil)
//	prompt := d.Redact("Write to ana@example.org about IBAN DE89370400440532013000", vault.Tokenize)
//	// Write to [EMAIL_1_k3xz] about IBAN [IBAN_1_k3xz]
//	answer := vault.Restore(model(prompt))
//
// # Pitfalls
//
//   - Don't search for digits without boundaries: because the tail of a hash is not a card, and 999.1.2.3
//     is not an IP address. A value here never starts or ends inside a word or a longer number.
//   - Don't be surprised by test data: because 4111111111111111 passes Luhn, every test card in your
//     documentation is found too.
//   - Don't look at one kind alone: because kinds overlap, and the address in
//     postgres://app:secret@db.example.net is not a mailbox. Put all rules into one detector; the longest
//     value wins.
//   - Don't redact more than needed: because an answer without its references is useless. [detect.Vault]
//     keeps references apart and restores them.
//   - Don't call pseudonymized data anonymous: because the owner of the vault, or of the key of
//     [detect.Hash], can go back, and rare combinations identify a person without a name.
//
// # Questions
//
// Which personal data does the detector find? The detector finds mail addresses, phone and
// card numbers, IBANs, IP and MAC addresses, and dates of birth. It also finds street
// addresses in English, German and French forms, and the national numbers of 23 countries. The
// constants of this package list the kinds.
//
// Why are names off by default? Names are off by default because a name has no form and no
// check, and many words are names too. A list finds only the names on it. Turn [KindPerson] on
// in Options.Kinds, and measure on your texts first.
//
// Should I redact personal data before calling a model? Redact personal data before calling a
// model if the task does not need it. If the task needs to refer to a person or an account,
// replace it with [detect.Vault], and restore it in the answer. Ask for your provider's
// contract and the law in either case.
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

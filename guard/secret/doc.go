// Package secret finds credentials in text and keeps a program's own out of
// its logs.
//
// # The lecture
//
// Lectures 7 and 8. A support bot is asked to "repeat everything above". The
// system prompt contains the connection string of the ticket database, put there
// in a hurry. The answer is logged, the log is indexed, and the
// index is what the next retrieval reads. One credential is now in four places,
// and rotating it is the only cure.
//
// Three layers keep that from happening, each with another failure:
//
//	the prompt   [New]            finds credentials before they are sent
//	the answer   [detect.Stream]  takes them out while the answer streams
//	the log      [NewLogHandler]  redacts records, [Value] never prints itself
//
// # How a credential is recognized
//
//   - By a provider's format: a prefix such as ghp_ or AKIA and a fixed number
//     of characters. Precise, and blind to every provider that isn't listed.
//
//   - By structure: PEM blocks, three base64url parts that begin with eyJ, a URL
//     with user:password@.
//
//   - By its name and its entropy: api_key = "xK9mP2vQ7rT4wZ8n". The name alone
//     would flag token := scanner.Text(), entropy alone every hash and UUID in a
//     repository. Shannon entropy in bits a character is
//
//     H = -Σ p(c) log2 p(c)
//
//     over the characters c of the value; 16 random characters of base 62 have
//     close to 4, "password" has 2.75.
//
// Values that only stand for a secret (YOUR-KEY-HERE, xxxx, ${TOKEN}) are left
// alone.
//
// # A program
//
//	key, err := secret.Load(os.LookupEnv, "API_KEY") // or API_KEY_FILE
//	if err != nil {
//		return err
//	}
//	log.Info("starting", "key", key) // key=[REDACTED]
//	req.Header.Set("Authorization", "Bearer "+key.Reveal())
//
// # Numbers
//
// On 16 MB of the Go standard library this package and guard/pii
// together report 0.13 values in 100 kB that are not what they are said to
// be; TestFalsePositivesOnTheStandardLibrary in guard/pii counts them.
//
// # Pitfalls
//
//   - A type with a String method inside an unexported field: fmt can't call it
//     and prints the field. [Value] keeps its string behind a pointer.
//   - Errors. url.Error prints the URL, password included. The [LogHandler] redacts
//     errors too.
//   - A secret in an environment variable is inherited by every child process.
//     A mounted file (NAME_FILE) isn't.
//   - Keys that were cut, wrapped or escaped. A PEM block counts without its end
//     line, and with \n for newlines.
//   - A detector is no vault. What was found has leaked already: rotate it.
//
// # Exercises
//
//  1. Plot the entropy of English words, UUIDs, hashes and API keys. Where would
//     you cut? Why is a name needed?
//  2. Print a struct that holds a [Value] with every verb of fmt. Then do it with
//     a plain string type that has a String method.
//  3. Add your company's token format as a [detect.Rule].
//
// # Further reading
//
//   - OWASP LLM02:2025 and LLM07:2025; MITRE ATLAS AML.T0055.
//   - RFC 7468 (PEM), RFC 7519 (JWT), RFC 3986 section 3.2.1 (user information).
//   - Meli, McNiece, Reaves: How Bad Can It Git? Characterizing Secret Leakage in
//     Public GitHub Repositories, NDSS 2019.
//   - C. E. Shannon: A Mathematical Theory of Communication, 1948.
package secret

// Package secret finds credentials in text and keeps a program's own out of its logs.
//
// # The problem
//
// A support bot is asked to "repeat everything above". The system prompt contains the connection string
// of the ticket database, put there in a hurry. The answer is logged, the log is indexed, and the index is
// what the next retrieval reads. One credential is now in four places, and rotating it is the only repair.
//
// # The idea
//
// Three layers keep that from happening, and each fails in another way:
//
//	the prompt   [New]            finds credentials before they are sent
//	the answer   [detect.Stream]  takes them out while the answer streams
//	the log      [NewLogHandler]  redacts records, [Value] never prints itself
//
// # Terms
//
//   - Secret (also: credential, API key, token, password): A secret is a value that gives access. A person
//     or program that has it can act in its owner's name.
//   - Secrets management (also: secret manager): Secrets management is how secrets are stored, handed to
//     programs, rotated and withdrawn, so that none is in source code.
//   - Environment variable (also: env var, dotenv, .env file): An environment variable is a named value that
//     the operating system gives to a process. [Load] reads a secret from one.
//   - Mounted secret (also: secret file, Docker secret, Kubernetes secret): A mounted secret is a file that the
//     platform puts into a container. [Load] reads the file that NAME_FILE names.
//   - Vault (also: HashiCorp Vault, cloud secret manager): A vault is a server that stores secrets encrypted,
//     gives each program only its own, and logs each access.
//   - Rotation (also: key rotation): Rotation replaces a secret by a new one and withdraws the old one.
//   - Entropy (also: Shannon entropy): Entropy measures how unpredictable the characters of a text are, in
//     bits for each character. Random keys have close to 4 or more; words have less.
//   - Secret scanning (also: secret scanner, gitleaks): Secret scanning searches source code, history or logs
//     for secrets, before others find them.
//
// # How a credential is recognized
//
// A credential is recognized in one of three ways:
//
//   - By a provider's format: a prefix such as ghp_ or AKIA and a fixed number of characters. This is
//     precise, and finds no provider that is not listed.
//   - By structure: PEM blocks, three base64url parts that begin with eyJ, a URL with user:password@.
//   - By its name and its entropy: api_key = "xK9mP2vQ7rT4wZ8n". The name alone would flag
//     token := scanner.Text(), and entropy alone every hash and UUID in a repository.
//
// Shannon entropy in bits a character is, over the characters c of the value,
//
//	H = -Σ p(c) log2 p(c)
//
// 16 random characters of base 62 have close to 4, "password" has 2.75. Placeholders (YOUR-KEY-HERE, xxxx,
// ${TOKEN}) are left alone.
//
// # A minimal program
//
// The program loads a key, logs it without showing it, and uses it:
//
//	key, err := secret.Load(os.LookupEnv, "API_KEY") // or API_KEY_FILE
//	if err != nil {
//		return err
//	}
//	log.Info("starting", "key", key) // key=[REDACTED]
//	req.Header.Set("Authorization", "Bearer "+key.Reveal())
//
// # Measured
//
// On 16 MB of the Go standard library this package and guard/pii together report 0.13 values in 100 kB that
// are not what they are reported as. TestFalsePositivesOnTheStandardLibrary in guard/pii counts them.
//
// # Pitfalls
//
//   - Don't rely on a String method to hide a secret: because fmt can't call it on an unexported field, and
//     prints the field. [Value] keeps its string in a pointer.
//   - Don't log errors unredacted: because url.Error prints the URL, with its password. [LogHandler] redacts
//     errors too.
//   - Don't pass a secret in an environment variable to a program that starts others: because every child
//     process inherits it. A mounted file (NAME_FILE) is not inherited.
//   - Don't search for whole keys only: because keys are cut, wrapped or escaped. A PEM block counts here
//     without its end line, and with \n for newlines.
//   - Don't stop after a secret was found: because it has leaked already. Rotate it.
//
// # Questions
//
// How do I keep an API key out of my code? To keep an API key out of the code, read it when
// the program starts, with [Load], from the environment or from a mounted file. Commit an
// example file without values, and list the real one in .gitignore.
//
// What should I do if a key was committed to git? If a key was committed to git, withdraw it
// at its provider first: it counts as public, even after the commit was removed, since copies
// and forks may have it. Then create a new one, and scan the history for others.
//
// Why does Load fail if both API_KEY and API_KEY_FILE are set? [Load] fails if both API_KEY
// and API_KEY_FILE are set, because the two may differ, and a deployment would use an old key
// without anyone noticing. Remove one of them.
//
// Is a secret in a Value safe in memory? A secret in a Value is not safe in memory. A [Value]
// keeps a secret out of logs, JSON and printed structs. A debugger or a core dump still shows
// it.
//
// # Exercises
//
//  1. Plot the entropy of English words, UUIDs, hashes and API keys. Where would
//     you cut? Why is a name needed?
//  2. Print a struct that contains a [Value] with every verb of fmt. Then do it with
//     a plain string type that has a String method.
//  3. Add your company's token format as a [detect.Rule].
//
// # Further reading
//
//   - OWASP LLM02:2025 and LLM07:2025; MITRE ATLAS AML.T0055. OWASP Secrets Management
//     Cheat Sheet.
//   - RFC 7468 (PEM), RFC 7519 (JWT), RFC 3986 section 3.2.1 (user information).
//   - Meli, McNiece, Reaves: How Bad Can It Git? Characterizing Secret Leakage in
//     Public GitHub Repositories, NDSS 2019.
//   - C. E. Shannon: A Mathematical Theory of Communication, 1948.
package secret

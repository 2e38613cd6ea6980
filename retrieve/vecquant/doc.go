// Package vecquant makes vectors small: it stores each vector as a short code, 2 to
// 32 times smaller and more, and searches the codes.
//
// # What you will be able to do
//
//   - Name the number formats FP32, FP16, BF16, FP8, INT8 and INT4, and compute the
//     memory of a model in each.
//   - Explain post-training quantization, quantization-aware training, pruning and
//     distillation, and say when each hurts.
//   - Quantize vectors by scale, by product and by sign, and measure what is lost.
//   - Search codes in two steps, with rescoring.
//
// # The problem
//
// A team runs a model with 8 billion parameters. In 16 bits the weights take 16 GB,
// and a GPU with 16 GB has no room left for the KV cache. In 4 bits they take about
// 5 GB, and the demo works. Three weeks later the team finds that the answers in
// Polish and the long calculations have become worse: the benchmark they had looked
// at was English and short.
//
// The same team has an index of a million vectors with 1,536 float32 numbers: 6 GB,
// and a search that compares the query with all of them reads 6 GB. The numbers are
// more exact than the question. Which of two passages is nearer doesn't depend on
// the seventh digit of a coordinate, and mostly not on the third.
//
// # The idea
//
// Quantization stores numbers with fewer bits. Memory gets smaller, and since a
// processor waits for memory far longer than it computes, the program gets faster.
// The price is an error in every number. The art is to choose the format, the
// groups that share a scale and the check afterwards so that the error doesn't
// matter for the task.
//
// This package quantizes vectors, where each step can be seen and measured. The
// same ideas quantize the weights of a language model: a scale for each group of
// numbers, a check on real tasks, and exact numbers where they matter most.
//
// # Terms
//
//   - Quantization (also: quantize, quantized model, model compression):
//     Quantization stores numbers with fewer bits than they had, for example 8
//     instead of 32. It saves memory and time and adds a small error to each
//     number.
//   - FP32 (also: float32, single precision): FP32 is the usual floating-point
//     number of 32 bits, 4 bytes, with about 7 decimal digits.
//   - FP16 (also: float16, half precision): FP16 is a floating-point number of 16
//     bits: 1 for the sign, 5 for the exponent, 10 for the fraction. It has about 3
//     decimal digits and ends at 65,504. [Float16] stores vectors in it.
//   - BF16 (also: bfloat16): BF16 is a floating-point number of 16 bits with 8 for
//     the exponent and 7 for the fraction. It has the range of FP32 and only 2 to 3
//     digits, so it rarely overflows. Most models are trained in it.
//   - FP8 (also: E4M3, E5M2, float8): FP8 is a floating-point number of 8 bits.
//     E4M3 (4 bits exponent, 3 fraction, up to 448) is used for weights and
//     activations, E5M2 (up to 57,344) for gradients. Recent GPUs (NVIDIA Ada,
//     Hopper and later) compute in it directly.
//   - INT8 (also: 8-bit integer, int8 quantization): INT8 stores a number as a
//     whole number from -127 to 127 times a scale that a group of numbers shares.
//     It needs a quarter of FP32 and usually loses very little. [Int8] does it for
//     vectors.
//   - INT4 (also: 4-bit, 4-bit quantization): INT4 stores a number as one of 16
//     values times a scale, shared by a small group such as 32 or 128 numbers. It
//     needs an eighth of FP32. The loss can be noticed and must be measured.
//   - Scale (also: scale factor, zero point, group size): A scale is the number by
//     which the stored whole numbers are multiplied to get the real ones. A zero
//     point is added if the values aren't symmetric around 0. The smaller the group
//     that shares a scale, the smaller the error.
//   - Scalar quantization (also: SQ, SQ8): Scalar quantization stores each element
//     of a vector by itself in fewer bits, with a common scale. [Int8] and
//     [Float16] are scalar.
//   - Product quantization (also: PQ, codebook, OPQ): Product quantization cuts a
//     vector into parts and stores for each part the number of the most similar of
//     256 typical parts, which were learned by k-means. [Product] does it; OPQ
//     rotates the space first, see ProductOptions.Rotate.
//   - Binary quantization (also: BQ, sign bits, 1-bit): Binary quantization stores
//     only the sign of each element, one bit, and compares codes by the number of
//     different bits. It is 32 times smaller than FP32 and needs rescoring.
//     [Binary] does it.
//   - Rescoring (also: reranking with full vectors, oversampling): Rescoring ranks
//     the best candidates of a search over codes again by the exact vectors. It
//     gives back most of the lost recall: fetch for example 40 candidates by code,
//     keep the 10 best by the exact vectors.
//   - Asymmetric distance (also: ADC): Asymmetric distance compares an exact query
//     with coded vectors, so that only one side of the comparison has an error. All
//     quantizers here but [Binary] do it.
//   - Post-training quantization (also: PTQ): Post-training quantization converts a
//     model that is already trained, with no training or a few hundred calibration
//     texts. It takes minutes to hours, and is what you get in a ready-made "4-bit"
//     download.
//   - Quantization-aware training (also: QAT): Quantization-aware training
//     simulates the rounding during training, so that the weights learn to tolerate
//     it. It loses less at 4 bits and below, and costs a training run with data and
//     GPUs.
//   - Calibration (also: calibration set): Calibration passes sample texts through
//     a model to learn the ranges of its activations, from which the scales are
//     chosen. The samples should look like real requests.
//   - GPTQ: GPTQ is a post-training method for weights in 4 or 3 bits. It rounds
//     one column after another and adjusts the rest to balance the error, using
//     calibration texts.
//   - AWQ (also: activation-aware weight quantization): AWQ is a post-training
//     method for 4-bit weights. It finds the few weights that matter most by
//     looking at the activations, and scales them so that rounding harms them less.
//   - GGUF (also: llama.cpp formats, Q4_K_M): GGUF is llama.cpp's file format for
//     quantized models. A name such as Q4_K_M means about 4 bits a weight, with
//     more bits for the sensitive layers.
//   - Outlier (also: activation outlier): An outlier is a value far larger than the
//     others of its group. It forces a large scale, so that the others are rounded
//     to almost nothing. Methods such as LLM.int8() keep outliers in 16 bits;
//     SmoothQuant moves them into the weights.
//   - Weight-only quantization (also: W4A16, W8A8): Weight-only quantization stores
//     weights in few bits and computes in 16 bits; W4A16 means 4-bit weights and
//     16-bit activations. It saves memory and speeds up decoding. W8A8 quantizes
//     both and also speeds up large batches.
//   - Pruning (also: sparsity, structured pruning, unstructured pruning): Pruning
//     removes weights that matter little. Unstructured pruning sets single weights
//     to 0, which saves time only with special hardware or kernels; structured
//     pruning removes whole heads, channels or layers and makes any hardware
//     faster.
//   - Semi-structured sparsity (also: 2:4 sparsity): Semi-structured sparsity,
//     written 2:4, means that of every 4 neighboring weights 2 are 0. NVIDIA GPUs
//     since Ampere compute such matrices up to twice as fast.
//   - Distillation (also: knowledge distillation, teacher, student): Distillation
//     trains a small student model to imitate the outputs of a large teacher.
//     DistilBERT has 40 % fewer parameters than BERT, is 60 % faster, and keeps 97
//     % of its score on language-understanding tests (Sanh et al., 2019).
//   - LoRA (also: low-rank adaptation, QLoRA, adapter): LoRA fine-tunes a model by
//     training only small extra matrices beside the frozen weights. QLoRA does so
//     on weights in 4 bits, so that a large model can be fine-tuned on one GPU. It
//     is training, not compression.
//   - Mixed precision (also: AMP): Mixed precision computes most steps in 16 or 8
//     bits and keeps sensitive ones, such as sums and norms, in 32 bits.
//   - Perplexity: Perplexity measures how surprised a model is by a text; lower is
//     better. It is a quick check after quantization, and can hide that a task such
//     as arithmetic got worse.
//   - Evaluation after quantization (also: quality check, accuracy loss): An
//     evaluation after quantization runs the original and the quantized model on
//     the same tasks of your own, and compares the scores with an interval. It is
//     the only way to know whether quantization hurts.
//
// # The formats in bytes
//
// The memory of a model's weights is the number of parameters times the bytes of
// one. For 8 billion parameters (and 70 billion) that is, without the KV cache:
//
//	format      bits   values it can represent         8B         70B
//	FP32          32   7 digits                       32 GB      280 GB
//	FP16, BF16    16   3 digits; 2 to 3, wide range   16 GB      140 GB
//	FP8            8   1 digit                         8 GB       70 GB
//	INT8           8   255 steps and a scale           8 GB       70 GB
//	INT4           4   16 steps and a scale         about 5 GB  about 40 GB
//
// The quantizers of this package make codes of these sizes, for a vector of 384
// elements:
//
//	quantizer     bytes   what it keeps
//	(float32)     1,536   everything
//	Float16         768   3 decimal digits
//	Int8            388   steps of 1/127 of the largest element, and a scale
//	Product          96   the nearest of 256 typical parts, for each 4 elements
//	Binary           48   the signs
//
// # When it hurts
//
// Quantization hurts where small errors add up or where the model has little room
// for them. Small models suffer more than large ones, since they have fewer spare
// parameters. Long chains of steps (arithmetic, code, long reasoning), rare
// languages, long contexts and exact formats suffer first. From 16 to 8 bits the
// loss is usually within the noise; at 4 bits it is often small and sometimes not;
// below 4 bits it is large without special training.
//
// Pruning hurts when too much is removed at once or when no training follows.
// Distillation hurts outside of the tasks that the student was trained for: a
// student can be as good as its teacher on your support questions and fail at
// everything else.
//
// # A minimal program
//
// The program's middle: code vectors in one byte an element, and score all of them
// against a query. A larger score is nearer.
//
//	x, err := vecquant.NewInt8(384)
//	if err != nil {
//		return err
//	}
//	var codes []byte
//	for _, v := range vectors {
//		if codes, err = x.Encode(codes, v); err != nil {
//			return err
//		}
//	}
//	s, err := x.Query(query, vecquant.MetricDot)
//	if err != nil {
//		return err
//	}
//	scores := make([]float32, len(vectors))
//	if err := s.Scores(codes, scores); err != nil {
//		return err
//	}
//	// Take the 40 best scores, then rank those 40 by the exact vectors.
//	// retrieve/flat does both steps: flat.Options.Codes and Rescore.
//
// # Measured
//
// The table has the recall of the 10 nearest for each quantizer, on the 2,000 test
// vectors of 64 elements of this package: directly by the codes, and after
// rescoring the 40 best. The command prints it, beside faiss.
//
//	quantizer         bytes   recall@10   rescored
//	Float16             128        .998      1.000
//	Int8                 68        .984      1.000
//	Product, 32 parts    32        .798      1.000
//	Product, 16 parts    16        .526       .934
//	Product, 8 parts      8        .422       .812
//
//	go test -v -run Golden ./retrieve/vecquant
//
// Codes rank nearly right, not right. With 16 bytes, half of the true 10 nearest
// are among the first 10, and 93 % of them among the first 40. So rescoring is what
// makes small codes usable.
//
// # Pitfalls
//
//   - Don't compare codes of different quantizers, or of codebooks that were
//     learned twice: the numbers have no relation. Do store the quantizer with the
//     codes, see [Product.MarshalBinary].
//   - Don't take a recall from an article: it is a property of the data. Do measure
//     it on your own vectors and queries, with rescoring.
//   - Don't use [Binary] on vectors whose elements are all positive: all codes are
//     then equal. Do subtract the mean first.
//   - Don't keep codebooks that were learned from last year's documents without a
//     look: they may not fit this year's. Do learn them again when the error of new
//     vectors grows.
//   - Don't use [MetricCosine] with vectors that don't have length 1: the scores
//     are wrong. Do call [Normalize] before encoding.
//   - Don't judge a quantized language model by perplexity or one benchmark: rare
//     languages, arithmetic and long answers get worse first. Do run your own
//     evaluation on both models.
//   - Don't expect a smaller model file to be faster on any hardware: a GPU without
//     support for the format converts back before each multiplication. Do measure
//     time as well as memory.
//
// # Questions
//
// What is quantization in simple words? Quantization stores the numbers of a model
// or a vector with fewer digits. A number that took 32 bits takes 8 or 4. The model
// needs less memory and is often faster, and its answers change a little.
//
// What is the difference between FP16 and BF16? FP16 and BF16 both have 16 bits.
// FP16 has more digits (10 bits of fraction) and a small range up to 65,504. BF16
// has the range of FP32 and fewer digits (7 bits). BF16 is safer in training,
// because it doesn't overflow; FP16 is a little more exact when the values fit.
//
// What is FP8, and which GPUs support it? FP8 is a floating-point number of 8 bits,
// in the forms E4M3 and E5M2. NVIDIA GPUs compute in it since Ada and Hopper (L4,
// L40S, H100, H200), AMD since the MI300. It halves the memory of 16 bits, with a
// loss that is small for most tasks.
//
// What is the difference between FP8 and INT8? FP8 and INT8 both have 8 bits. INT8
// has 255 equal steps, so one outlier makes all steps large. FP8 has small steps
// near 0 and large ones far from it, so it tolerates outliers better. FP8 needs
// recent GPUs (NVIDIA Ada, Hopper or later); INT8 works nearly everywhere.
//
// Which format should I choose: FP16, FP8, INT8 or INT4? Choose the format by your
// GPU and your own tests. Start with BF16 or FP16 as the reference. Take FP8 or
// INT8 if your GPU supports it: half the memory, a loss within the noise for most
// tasks. Take INT4 (AWQ, GPTQ or GGUF) if the model doesn't fit otherwise, and
// check it on your own tasks.
//
// Is a large model in 4 bits better than a small one in 16 bits? A large model in 4
// bits, such as 70B, is usually better than a small one in 16 bits, such as 7B, but
// it needs about 40 GB where the small one needs 14 GB, and is slower. Compare
// models of about the same size in GB on your own tasks.
//
// How much GPU memory does a model need? A model's weights need parameters × bytes:
// a 7B model 14 GB in 16 bits and about 4.5 GB in 4 bits, an 8B model 16 GB and
// about 5 GB, a 70B model 140 GB and about 40 GB. Add the KV cache (128 KiB a token
// for Llama 3 8B in 16 bits) and 10 to 20 % for the rest. So an 8B model in 16 bits
// doesn't fit well on a GPU with 16 GB.
//
// What is the difference between post-training quantization and quantization-aware
// training? Post-training quantization (PTQ) converts a finished model in minutes
// to hours without training. Quantization-aware training (QAT) trains with
// simulated rounding and costs GPUs and data. Start with PTQ; use QAT if 4 bits or
// fewer must keep the quality and PTQ doesn't.
//
// INT4 or INT8 for a 70B model? A 70B model takes 70 GB in INT8 (or FP8) and about
// 40 GB in INT4. Take INT8 or FP8 if you have 80 GB and more of GPU memory and a
// short context, or two GPUs. Take INT4 for one GPU of 48 GB; large models lose
// little at 4 bits. Check either one on your own tasks.
//
// What are GPTQ and AWQ, and which one should I use? GPTQ and AWQ are post-training
// methods for 4-bit weights. GPTQ adjusts the remaining weights to balance each
// rounding error; AWQ protects the weights that matter most. Their quality is
// similar. Take the one for which your engine has a fast kernel and your model a
// ready download, and test it.
//
// When does quantization hurt the quality? Quantization hurts small models more
// than large ones, 4 bits more than 8, and first on arithmetic, code, rare
// languages, long contexts and exact output formats. It also hurts if the
// calibration texts don't look like your requests. You notice it only with an
// evaluation on your own tasks.
//
// What is pruning, and does it make a model faster? Pruning removes weights that
// matter little. Structured pruning (whole heads, channels, layers) makes any
// hardware faster. Unstructured pruning makes the file smaller when packed, and is
// faster only with special kernels or with 2:4 sparsity on recent NVIDIA GPUs. Both
// need some training afterwards to recover.
//
// What is distillation, and when should I use it? Distillation trains a small model
// on the answers of a large one. Use it for a narrow task with many requests: you
// collect some thousand good answers of the large model and fine-tune a small one
// on them. Check the large model's licence, since some forbid it. retrieve/embed
// contains a distilled model.
//
// Which is better, pruning or quantization? Quantization is usually better to begin
// with: it takes minutes, needs no training, and 8 bits lose almost nothing.
// Pruning needs training afterwards and often special hardware to be faster. Prune
// when quantization alone isn't enough.
//
// Can I combine quantization, pruning and distillation? Quantization, pruning and
// distillation can be combined. A usual order is: distill or prune to a smaller
// model, train it, then quantize. Measure after each step, since the losses add up.
// Quantization alone is the cheapest and brings the most for its effort.
//
// How much smaller can I make my vector index? A vector index gets 4 to 32 times
// smaller: int8 codes are a quarter of float32, product codes of a byte for 4
// elements a sixteenth, bits a thirty-second. A million vectors of 1,536 float32
// elements take 6.1 GB; in int8 1.5 GB, in bits 0.19 GB. With rescoring most of the
// recall comes back; the exact vectors may lie on a disk.
//
// What is rescoring, and how many candidates do I need? Rescoring fetches more
// candidates than wanted by their short codes, and ranks these by the exact
// vectors. For 10 results, 40 candidates gave a recall of .934 for codes of 16
// bytes and 1.000 for 32 bytes in the table above. Raise the number until the
// recall on your queries is enough.
//
// Does quantization make inference faster or only smaller? Quantization often makes
// inference both smaller and faster. Decoding reads all weights for each token, so
// half the bytes is nearly twice the speed at small batches. At large batches
// computing is the limit, and only formats that the GPU computes in directly (FP8,
// INT8) help. Unpacking 4-bit weights costs some of the gain.
//
// Can this package quantize a language model? This package can't quantize a
// language model; it quantizes vectors of a search index. For models use the tools
// of the field (llama.cpp, AutoAWQ, GPTQModel, TensorRT Model Optimizer) or
// download a quantized model. The ideas (scale, group, outlier, calibration, check)
// are the same.
//
// # Lab
//
// The lab of this lecture measures recall against bits for every quantizer, on the
// sentences of this course:
//
//	go run ./examples/lab13-vector-quantization
//
// Look at how recall falls with the bits, and how rescoring brings it back. Then shift
// all vectors with -shift 0.1, and look at the binary codes. The
// embedder of the chunking lab is a quantized model as well, with int8 rows: go run
// ./examples/lab10-chunking.
//
// # Exercises
//
//  1. Plot recall@10 against bytes a vector, with and without rescoring.
//  2. Shift all vectors by a constant. Which quantizers suffer, and why?
//  3. How many training vectors does [TrainProduct] need before the error stops
//     falling?
//  4. Compute the memory of a 70B model in each format, with a KV cache for 20
//     requests of 8,000 tokens. On which GPUs does it fit?
//
// # Further reading
//
//   - Jégou, Douze, Schmid: "Product quantization for nearest neighbor search",
//     TPAMI 2011.
//   - Ge, He, Ke, Sun: "Optimized product quantization", TPAMI 2014.
//   - Dettmers et al.: "LLM.int8(): 8-bit matrix multiplication for transformers at
//     scale", NeurIPS 2022.
//   - Frantar et al.: "GPTQ: accurate post-training quantization for generative
//     pre-trained transformers", ICLR 2023.
//   - Lin et al.: "AWQ: activation-aware weight quantization", MLSys 2024.
//   - Micikevicius et al.: "FP8 formats for deep learning", 2022.
//   - Frantar, Alistarh: "SparseGPT", ICML 2023, on pruning.
//   - Sanh et al.: "DistilBERT", 2019, and Hinton, Vinyals, Dean: "Distilling the
//     knowledge in a neural network", 2015.
//   - Arthur, Vassilvitskii: "k-means++: the advantages of careful seeding", 2007.
package vecquant

// Package quant makes the weights of a model smaller: codes of few bits, weights removed,
// and training that makes up for the loss.
//
// # What you will be able to do
//
//   - Choose a format for a model's weights, and say what it costs in quality and saves in
//     memory.
//   - Explain why the number of weights that share a scale matters as much as the bits.
//   - Tell post-training quantization from quantization-aware training, and say when the
//     second is worth its price.
//   - Measure whether an optimization hurts, before users do.
//
// # The problem
//
// A team has a model of 8 billion weights in 16 bits (lecture 13). It needs 16 GB, and each
// token reads all of them. With 4 bits it would need 5 GB and answer three times as fast. An
// engineer rounds the weights to 16 levels between the smallest and the largest, and the
// model writes noise: one weight in a thousand is twenty times larger than the others, so
// nearly all of them fell on the level 0.
//
// # The idea
//
// A code is a small integer, and a scale says what it stands for. The symmetric scheme maps
// zero to zero; the asymmetric one spends its codes on the range that is there:
//
//	symmetric    scale = largest magnitude ÷ (2^(bits-1) - 1)     x ≈ code × scale
//	asymmetric   scale = (largest - smallest) ÷ (2^bits - 1)      x ≈ (code - zero) × scale
//
// One large weight makes the scale large for all that share it. So fewer weights share one:
// a row of the matrix, or 32 neighbors. Each scale takes memory too, so 4 bits in groups of
// 32 are 4.5 bits in truth.
//
// Rounding after training is post-training quantization. It needs minutes. If it costs too
// much, the model is trained for a while with the rounding in each forward pass, and the
// gradient passes as if there were none. That is quantization-aware training.
//
// # Terms
//
//   - Quantization: Quantization stores numbers as codes of few bits with a scale, so that
//     a model needs less memory and reads less for each token.
//   - FP16 (also: half precision): FP16 is a floating-point format with 5 bits of exponent
//     and 10 of mantissa. Numbers above 65,504 overflow.
//   - BF16 (also: bfloat16): BF16 is the upper half of a 32-bit float: the same range, and
//     7 bits of mantissa. Most models are trained and published in it.
//   - FP8 (also: E4M3, E5M2): FP8 is a floating-point format of 8 bits. E4M3 has 3 bits of
//     mantissa and reaches 448; E5M2 has 2 and reaches 57,344.
//   - INT8: INT8 stores codes from -127 to 127 with a scale. With a scale for each row it
//     costs almost no quality.
//   - INT4: INT4 stores 16 levels. It needs a scale for each group of 32 to 128 weights.
//   - Granularity (also: per-tensor, per-channel, per-group, group size): The granularity
//     of a quantization is how many weights share a scale. See [Grain].
//   - Zero point: The zero point is the code that stands for 0 in the asymmetric scheme.
//   - Outlier: An outlier is a weight or activation much larger than the others, which
//     makes the scale of all that share it large.
//   - Post-training quantization (also: PTQ): Post-training quantization rounds the weights
//     of a finished model. See [Quantize].
//   - Calibration: Calibration chooses the ranges of codes from data, so that the error is
//     small where it matters. See [Calibrate].
//   - Quantization-aware training (also: QAT): Quantization-aware training trains with the
//     rounding in the forward pass. See [FakeQuantize].
//   - Straight-through estimator (also: STE): The straight-through estimator lets the
//     gradient pass through rounding as if it were not there, because the true gradient is
//     zero almost everywhere.
//   - Pruning (also: sparsity): Pruning sets weights to zero that matter little. It saves
//     time only if the hardware skips zeros. See [PruneMagnitude].
//   - Semi-structured sparsity (also: 2:4 sparsity): 2:4 sparsity keeps two of each four
//     neighbors, which NVIDIA's sparse units compute twice as fast. See [PruneNM].
//   - Wanda: Wanda prunes by the magnitude of a weight times the norm of its input. See
//     [PruneWanda].
//   - Distillation (also: knowledge distillation): Distillation trains a small model, the
//     student, to give the probabilities of a large one, the teacher. See [Distill].
//   - Temperature of distillation: The temperature divides the logits of teacher and
//     student, so that the probabilities of wrong answers, which say what is similar,
//     count more.
//   - Signal-to-noise ratio (also: SNR): The signal-to-noise ratio compares the power of
//     the weights with that of the error, in decibels. A bit is worth about 6. See [SNR].
//
// # A minimal program
//
// The program stores a matrix in 4 bits, 32 neighbors to a scale, and prints its error.
//
//	m, err := quant.Quantize(weights, rows, columns, &quant.Options{
//		Bits: 4, Grain: quant.GrainGroup, Group: 32, Scheme: quant.SchemeAsymmetric,
//	})
//	…
//	fmt.Printf("%.2f bits a weight, %.1f dB\n", m.BitsPerWeight(), quant.SNR(weights, m.Dequantize()))
//
// # Which format
//
// The table says what to try first for the weights of a language model.
//
//	format            memory   quality                    needs
//	BF16              100 %    as trained                 any GPU since 2020
//	FP8, INT8          50 %    almost none is lost        FP8: Ada, Hopper and later
//	INT4, groups       28 %    a little is lost           kernels of the engine (GPTQ, AWQ, Marlin)
//	GGUF Q4_K_M        30 %    a little is lost           llama.cpp, also on CPUs
//	2:4 sparsity       56 %    lost without training      sparse units, and training again
//	2 bits             16 %    much is lost               quantization-aware training
//
// Package weights of cache/engine/llama encodes the floating-point formats and the blocks
// of GGUF to the bit.
//
// # Measured
//
// The first table shows what each step costs the tiny model of this module, in perplexity
// on text written after its training. Print it with
//
//	go run ./examples/lab13-quant-ladder
//
//	scale of                              bits   perplexity
//	as it is stored (Q8_0)                8.50         72.4
//	a row, 8 bits                         8.11         72.2
//	32 neighbors, 4 bits, zero point      4.62         70.9
//	a row, 4 bits                         4.11         74.7
//	the whole matrix, 4 bits              4.00         88.0
//	32 neighbors, 2 bits, zero point      2.56        132.2
//	a row, 2 bits                         2.11       1893.1
//	2 of each 4 weights removed                        87.9
//	half of the weights removed                        94.7
//
// The second shows the same for SmolLM2 with 135 million weights, on 447 tokens of Go's
// documentation. A larger model has outliers, so a scale for the whole matrix destroys it.
//
//	as shipped                                   27.99
//	32 neighbors, 8 bits                         28.11
//	a row, 8 bits                                28.43
//	the whole matrix, 8 bits                     29.87
//	32 neighbors, 6 bits                         28.76
//	32 neighbors, 5 bits                         31.57
//	32 neighbors, 4 bits                         43.7
//	the whole matrix, 4 bits               50,000,000
//	a tenth of the weights removed               28.9
//	half of the weights removed                  1050
//	2 of each 4 weights removed                  3680
//
// The third shows a classifier of three spirals, in per cent of right answers.
//
//	bits   rounded after training   with the best Clip   trained with rounding
//	   8                   99.1                 99.1                    99.8
//	   3                   95.2                 98.2                    99.6
//	   2                   49.4                 75.2                    81.3
//
// # Pitfalls
//
//   - Don't choose a format by its bits alone: because the scales decide. Look at the
//     granularity, and compare on your own texts.
//   - Don't expect a smaller format to be faster everywhere: because plain code for 8-bit
//     integers is slower than for 32-bit floats. The processor needs instructions for it.
//   - Don't judge by perplexity alone: because rare skills, such as arithmetic or another
//     language, are lost first. Run your own evaluation (lecture 5) before and after.
//   - Don't quantize activations like weights: because their outliers are larger and change
//     with the input. Start with weights only.
//   - Don't prune a dense model without training it again: because half of the weights
//     can't be missed at once, as the tables show.
//   - Don't quantize a quantized model again: because its weights lie on a grid, and a
//     second grid adds its own error. Start from the published weights.
//
// # Questions
//
// Which quantization should I use? INT8 or FP8 where quality must not change, and INT4 in
// groups, or Q4_K_M on a CPU, where memory decides. Measure your own task before and after.
//
// What is the difference between PTQ and QAT? PTQ rounds a finished model and takes
// minutes. QAT trains with the rounding in the loop and takes GPU hours. PTQ is enough down
// to 4 bits for most models; QAT pays at 3 bits and below.
//
// When does optimization hurt? Optimization hurts when the bits are too few for the
// granularity, when weights are removed without training again, and when the measured task
// is not the one that users have. It also hurts when nobody measures.
//
// Is a larger model with fewer bits better than a smaller one with more? A larger model in
// 4 bits is usually better than one of half the size in 8 bits with the same memory. Below
// 3 bits that turns around.
//
// What is distillation good for? Distillation is good for a narrow task: a student of a
// tenth of the size learns one task from the teacher's answers, and is ten times cheaper.
//
// # Lab
//
// Run the lab, and look for the row in which a bit less costs more than all before:
//
//	go run ./examples/lab13-quant-ladder
//
// # Exercises
//
//   - Add rows of 5 and 6 bits to the lab. Where does the curve bend?
//   - Leave the embedding in 8 bits and put the rest into 2. How much comes back?
//   - Prune with Wanda: collect the norms of the inputs with the tiny model, and compare
//     with the magnitude alone.
//
// # Further reading
//
//   - Nagel et al., "A White Paper on Neural Network Quantization", 2021:
//     https://arxiv.org/abs/2106.08295
//   - Frantar et al., "GPTQ", 2022: https://arxiv.org/abs/2210.17323; Lin et al., "AWQ",
//     2023: https://arxiv.org/abs/2306.00978
//   - Sun et al., "A Simple and Effective Pruning Approach for Large Language Models"
//     (Wanda), 2023: https://arxiv.org/abs/2306.11695
//   - Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015:
//     https://arxiv.org/abs/1503.02531
package quant

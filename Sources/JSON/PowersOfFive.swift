// SPDX-License-Identifier: Apache-2.0

/// A power of five as `significand * 2^exponent`, the significand's highest bit set.
struct PowerOfFive {
  /// The exponents of ten that leave a number of twenty digits within the range of doubles.
  static let range = -343...308

  /// The power's 128 highest bits, where `factor` is not yet multiplied in.
  let significand: UInt128
  /// What the significand is to be multiplied by: a power of five below 2^63, exact.
  let factor: UInt64
  let exponent: Int
  /// Whether the significand is all of the power, or the real one is larger by less than one in its last place.
  let isExact: Bool

  /// The power of an exponent in ``range``, in two parts: one from the table and an exact one.
  init(_ exponent: Int) {
    let index = (exponent - Self.range.lowerBound + Self.padding) / Self.step
    let rest = exponent - (index * Self.step + Self.range.lowerBound - Self.padding)
    let high = Self.table[2 * index]
    let low = Self.table[2 * index + 1]
    significand = UInt128(high) << 64 | UInt128(low)
    var power: UInt64 = 1
    var square: UInt64 = 5
    var bits = rest
    while bits > 0 {
      if bits & 1 == 1 { power &*= square }
      square &*= square
      bits >>= 1
    }
    factor = power
    // 152170 / 2^16 is the binary logarithm of five, near enough for the whole of every power in the range.
    self.exponent = ((exponent - rest) * 152_170) >> 16 - 127
    isExact = (0..<2 * Self.step).contains(exponent)
  }

  /// From one entry of the table to the next; 5^27 is the largest factor, and below 2^63.
  private static let step = 28
  /// The table begins at 5^-364, which is a multiple of the step below the range.
  private static let padding = 21

  /// 5^-364, 5^-336 … 5^308: the highest 64 bits and the next, cut off, not rounded.
  private static let table: [UInt64] = [
    0xe1af_a13a_fbd1_4d6d, 0x8218_9c09_a3a1_ec21, 0xe3e2_7a44_4d8d_98b7, 0xfd1b_1b23_0816_9b25,
    0xe61a_cf03_3d1a_45df, 0x6fb9_2487_298e_33bd, 0xe858_ad24_8f5c_22c9, 0xd1b3_400f_8f9c_ff68,
    0xea9c_2277_23ee_8bcb, 0x465e_15a9_79c1_cadc, 0xece5_3cec_4a31_4ebd, 0xa4f8_bf56_3524_6428,
    0xef34_0a98_172a_ace4, 0x86fb_8971_16c8_7c34, 0xf188_99b1_bc3f_8ca1, 0xdc44_e6c3_cb27_9ac1,
    0xf3e2_f893_dec3_f126, 0x5a89_dba3_c3ef_ccfa, 0xf643_35bc_f065_d37d, 0x4d46_17b5_ff4a_16d5,
    0xf8a9_5fcf_8874_7d94, 0x75a4_4c63_97ce_912a, 0xfb15_8592_be06_8d2e, 0xeed6_e2f0_f0d5_6712,
    0xfd87_b5f2_8300_ca0d, 0x8bca_9d6e_1888_53fc, 0x8000_0000_0000_0000, 0x0000_0000_0000_0000,
    0x813f_3978_f894_0984, 0x4000_0000_0000_0000, 0x8281_8f12_81ed_449f, 0xbff8_f10e_7a89_21a4,
    0x83c7_088e_1aab_65db, 0x7926_67c6_da79_e0fa, 0x850f_adc0_9923_329e, 0x03e2_cf6b_c604_ddb0,
    0x865b_8692_5b9b_c5c2, 0x0b8a_2392_ba45_a9b2, 0x87aa_9aff_7904_2286, 0x90fb_44d2_f05d_0842,
    0x88fc_f317_f222_41e2, 0x441f_ece3_bdf8_1f03, 0x8a52_96ff_e33c_c92f, 0x82bd_6b70_d99a_aa6f,
    0x8bab_8eef_b640_9c1a, 0x1ad0_89b6_c2f7_548e, 0x8d07_e334_5563_7eb2, 0xdb0b_487b_6423_e1e8,
    0x8e67_9c2f_5e44_ff8f, 0x570f_09ea_a7ea_7648,
  ]
}

/**
 * The x86 instruction set: one opcode table ({@link org.backplane.x86.isa.OpcodeTable}), the decoder and the disassembler.
 *
 * <pre>{@code
 * Insn insn = new Decoder().decode(bytes, 0, bytes.length, 32);
 * System.out.println(Disassembler.text(insn, 0x1000));
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.x86.isa;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

/**
 * Arithmetic of the x87 floating-point unit and of MMX on a {@link org.backplane.kvm.spi.cpu.CpuState}.
 *
 * <p>Everything is a static method without state of its own: the caller decodes, checks CR0.EM and CR0.TS, reads memory
 * operands as raw bits, delivers #MF and keeps the instruction and data pointers. {@link org.backplane.x86.isa.fpu.X87}
 * has the instructions, {@link org.backplane.x86.isa.fpu.X87Image} the memory images of the state,
 * {@link org.backplane.x86.isa.fpu.Mmx} the packed integers.
 *
 * <pre>{@code
 * if (X87.pending(s)) return raise(MF);          // every waiting instruction
 * X87.arithF64(s, modrm >> 3 & 7, load64(gva));  // DC /0 to /7
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.x86.isa.fpu;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

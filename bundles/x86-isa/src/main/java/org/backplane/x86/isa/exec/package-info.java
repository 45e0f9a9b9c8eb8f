/**
 * What instructions do: one {@link org.backplane.x86.isa.exec.Handler} per mnemonic on a {@link org.backplane.x86.isa.exec.Cpu}, event
 * delivery, gates and task switches. Engines (interpreter, translator) bring their own {@link
 * org.backplane.x86.isa.exec.Memory} and their own fast forms of frequent instructions; everything else is here, once.
 *
 * <pre>{@code
 * Insn insn = decoder.decode(bytes, 0, 15, 32);
 * cpu.begin(state.rip, 0);
 * cpu.at(insn);
 * Semantics.of(insn.mnemonic()).run(cpu, insn);
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.x86.isa.exec;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;

package org.backplane.x86.isa.exec;

import org.backplane.x86.isa.Insn;

/**
 * What one mnemonic does, for all its forms and sizes.
 *
 * <p>A handler either completes, or unwinds with nothing committed but elements of a REP string instruction that are done. It
 * does not step RIP unless it transfers control; an instruction with {@code Opcode.JUMP} always sets RIP.
 */
@FunctionalInterface
public interface Handler {
    void run(Cpu c, Insn i);
}

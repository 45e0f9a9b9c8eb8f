package org.backplane.x86.emulate;

import org.backplane.x86.isa.oracle.Digests;
import org.backplane.x86.isa.oracle.FpuTableContract;
import org.backplane.x86.isa.oracle.UserMachine;

/** The opcode table's x87 and MMX lines by the interpreter. */
class InterpreterFpuOracleTest extends FpuTableContract {
    private static final Digests DIGESTS = new Digests(FpuTableContract.class, "fpu.digest");

    @Override
    protected UserMachine machine() {
        return new OracleMachine();
    }

    @Override
    protected Digests digests() {
        return DIGESTS;
    }
}

package org.backplane.x86.emulate;

import org.backplane.x86.isa.oracle.Digests;
import org.backplane.x86.isa.oracle.UserMachine;
import org.backplane.x86.isa.oracle.UserModeContract;

/** The opcode table's user-mode forms by the interpreter, with its fast forms of frequent instructions. */
class InterpreterTableOracleTest extends UserModeContract {
    private static final Digests DIGESTS = new Digests(UserModeContract.class, "user.digest");

    @Override
    protected UserMachine machine() {
        return new OracleMachine();
    }

    @Override
    protected Digests digests() {
        return DIGESTS;
    }
}

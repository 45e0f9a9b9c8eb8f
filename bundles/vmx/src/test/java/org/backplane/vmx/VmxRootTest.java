package org.backplane.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.backplane.kvm.spi.cpu.CpuBackend;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The VMX instructions and their errors (SDM 3C 30.3, 30.4). */
class VmxRootTest {
    private final Rig rig = Rig.direct().flat();
    private final VmxRoot root = new VmxRoot(rig.v, rig.vcpu().realMode);
    private final long on = root.newRegion(), region = root.newRegion(), page = rig.memory.frame(0x30) << 12;

    @AfterEach
    void close() {
        root.close();
        rig.close();
    }

    private VmxRoot ready() {
        root.vmxon(on);
        root.vmclear(region);
        root.vmptrld(region);
        root.current().setUp(rig.mmu, false);
        return root;
    }

    /** The error of a failed instruction; VM_INSTRUCTION_ERROR has it too. */
    private int error(Runnable instruction) {
        int error = assertThrows(VmFailException.class, instruction::run).error;
        if (error != VmFailException.INVALID) assertEquals(error, root.vmread(VmcsField.VM_INSTRUCTION_ERROR.encoding));
        return error;
    }

    @Test
    void withoutACurrentVmcsEverythingIsVmFailInvalid() {
        root.vmxon(on);
        assertEquals(VmFailException.INVALID, error(() -> root.vmread(0x4000)));
        assertEquals(VmFailException.INVALID, error(() -> root.vmwrite(0x4000, 0)));
        assertEquals(VmFailException.INVALID, error(root::vmlaunch));
        assertEquals(VmFailException.INVALID, error(root::vmresume));
        assertEquals(VmFailException.INVALID, error(() -> root.vmptrld(region + 8)), "there is nowhere to keep a number");
        assertEquals(-1, root.vmptrst());
    }

    @Test
    void outsideOfVmxOperationTheInstructionsAreUndefined() {
        assertThrows(IllegalStateException.class, () -> root.vmptrld(region));
        assertThrows(IllegalStateException.class, root::vmlaunch);
        ready().vmxoff();
        assertThrows(IllegalStateException.class, () -> root.vmread(0x4000));
    }

    @Test
    void vmclearErrors2And3() {
        ready();
        assertEquals(2, error(() -> root.vmclear(region + 1)));
        assertEquals(2, error(() -> root.vmclear(1L << 36)));
        assertEquals(3, error(() -> root.vmclear(on)));
    }

    @Test
    void vmclearOfTheCurrentVmcsLeavesNone() {
        ready().vmclear(region);
        assertNull(root.current());
        assertEquals(-1, root.vmptrst());
    }

    @Test
    void launchOfAVmcsThatIsNotClearIsError4() {
        ready().vmlaunch();
        root.current().entered();
        assertEquals(4, error(root::vmlaunch));
        root.vmresume();
        root.vmclear(region);
        root.vmptrld(region);
        root.vmlaunch();
    }

    @Test
    void resumeOfAVmcsThatWasNotLaunchedIsError5() {
        assertEquals(5, error(ready()::vmresume));
    }

    @Test
    void badControlsAreError7() {
        ready().vmwrite(VmcsField.PIN_BASED_CONTROLS.encoding, 0);
        assertEquals(7, error(root::vmlaunch));
        assertEquals(5, error(root::vmresume), "the launch state is looked at first");
    }

    @Test
    void badHostStateIsError8() {
        ready().vmwrite(VmcsField.HOST_CR0.encoding, 0);
        assertEquals(8, error(root::vmlaunch));
    }

    @Test
    void vmptrldErrors9To11() {
        ready();
        assertEquals(9, error(() -> root.vmptrld(region + 0x10)));
        assertEquals(9, error(() -> root.vmptrld(1L << 36)));
        assertEquals(10, error(() -> root.vmptrld(on)));
        assertEquals(11, error(() -> root.vmptrld(page)), "a page of zeros");
        assertEquals(11, error(() -> root.vmptrld(0x7fff_f000)), "no memory");
        assertEquals(region, root.vmptrst(), "the current VMCS is still the same");
    }

    @Test
    void unsupportedFieldIsError12AndReadOnlyFieldError13() {
        ready();
        assertEquals(12, error(() -> root.vmread(0x7ffe)));
        assertEquals(12, error(() -> root.vmwrite(0x7ffe, 0)));
        assertEquals(13, error(() -> root.vmwrite(VmcsField.EXIT_REASON.encoding, 0)));
    }

    @Test
    void theNumberOfAnErrorStaysInTheVmcs() {
        ready();
        assertEquals(12, error(() -> root.vmread(0x7ffe)));
        assertEquals(12, root.vmread(VmcsField.VM_INSTRUCTION_ERROR.encoding));
        assertEquals(13, error(() -> root.vmwrite(VmcsField.EXIT_REASON.encoding, 0)));
        assertEquals(13, root.vmread(VmcsField.VM_INSTRUCTION_ERROR.encoding));
        assertEquals(9, error(() -> root.vmptrld(region + 0x10)));
        assertEquals(9, root.vmread(VmcsField.VM_INSTRUCTION_ERROR.encoding));
    }

    @Test
    void vmxonInRootOperationIsError15AndWithABadRegionInvalid() {
        assertEquals(VmFailException.INVALID, error(() -> root.vmxon(page)));
        assertEquals(VmFailException.INVALID, error(() -> root.vmxon(on + 1)));
        ready();
        assertEquals(15, error(() -> root.vmxon(region)));
    }

    @Test
    void aVmcsKeepsItsContentWhileAnotherIsCurrent() {
        ready().vmwrite(VmcsField.CR3_TARGET_VALUE0.encoding, 0x1234);
        Vmcs first = root.current();
        long other = root.newRegion();
        root.vmclear(other);
        root.vmptrld(other);
        assertEquals(0, root.vmread(VmcsField.CR3_TARGET_VALUE0.encoding));
        root.vmptrld(region);
        assertSame(first, root.current());
        assertEquals(0x1234, root.vmread(VmcsField.CR3_TARGET_VALUE0.encoding));
    }

    /** SDM 3C 26.3: the launch state becomes "launched" only when the guest is entered. */
    @Test
    void launchThatFailsOnTheGuestStateLeavesTheVmcsClear() {
        rig.s.segAr[org.backplane.kvm.spi.cpu.CpuState.TR] = 0;
        assertEquals(ExitReasons.INVALID_GUEST_STATE | ExitReasons.ENTRY_FAILURE, rig.enter());
        assertEquals(false, rig.backend.vmcs(rig.v).launched());
        rig.s.segAr[org.backplane.kvm.spi.cpu.CpuState.TR] = 0x8b;
        assertEquals(CpuBackend.NO_EXIT, rig.enter());
        assertEquals(true, rig.backend.vmcs(rig.v).launched());
    }

    @Test
    void regionsAreGivenBackWithTheBackend() {
        int used = rig.memory.frames().shadowFrames();
        rig.backend.close();
        assertEquals(used - 2, rig.memory.frames().shadowFrames());
    }
}

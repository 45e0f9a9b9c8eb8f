package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import org.junit.jupiter.api.Test;

/** Encodings by number (SDM 3D appendix B), written down a second time. */
class VmcsEncodingTest {
    /** Of each group the first encoding, and its fields in order. */
    private static final String[][] GROUPS = {
        {"0x0800", "GUEST_ES_SELECTOR GUEST_CS_SELECTOR GUEST_SS_SELECTOR GUEST_DS_SELECTOR GUEST_FS_SELECTOR GUEST_GS_SELECTOR "
                + "GUEST_LDTR_SELECTOR GUEST_TR_SELECTOR"},
        {"0x0c00", "HOST_ES_SELECTOR HOST_CS_SELECTOR HOST_SS_SELECTOR HOST_DS_SELECTOR HOST_FS_SELECTOR HOST_GS_SELECTOR HOST_TR_SELECTOR"},
        {"0x2000", "IO_BITMAP_A IO_BITMAP_B MSR_BITMAPS VM_EXIT_MSR_STORE_ADDRESS VM_EXIT_MSR_LOAD_ADDRESS VM_ENTRY_MSR_LOAD_ADDRESS "
                + "EXECUTIVE_VMCS_POINTER"},
        {"0x2010", "TSC_OFFSET VIRTUAL_APIC_ADDRESS APIC_ACCESS_ADDRESS"},
        {"0x201a", "EPT_POINTER"},
        {"0x2400", "GUEST_PHYSICAL_ADDRESS"},
        {"0x2800", "VMCS_LINK_POINTER GUEST_IA32_DEBUGCTL GUEST_IA32_PAT GUEST_IA32_EFER"},
        {"0x280a", "GUEST_PDPTE0 GUEST_PDPTE1 GUEST_PDPTE2 GUEST_PDPTE3"},
        {"0x2c00", "HOST_IA32_PAT HOST_IA32_EFER"},
        {"0x4000", "PIN_BASED_CONTROLS PRIMARY_PROCESSOR_BASED_CONTROLS EXCEPTION_BITMAP PAGE_FAULT_ERROR_CODE_MASK "
                + "PAGE_FAULT_ERROR_CODE_MATCH CR3_TARGET_COUNT VM_EXIT_CONTROLS VM_EXIT_MSR_STORE_COUNT VM_EXIT_MSR_LOAD_COUNT "
                + "VM_ENTRY_CONTROLS VM_ENTRY_MSR_LOAD_COUNT VM_ENTRY_INTERRUPTION_INFORMATION VM_ENTRY_EXCEPTION_ERROR_CODE "
                + "VM_ENTRY_INSTRUCTION_LENGTH TPR_THRESHOLD SECONDARY_PROCESSOR_BASED_CONTROLS"},
        {"0x4400", "VM_INSTRUCTION_ERROR EXIT_REASON VM_EXIT_INTERRUPTION_INFORMATION VM_EXIT_INTERRUPTION_ERROR_CODE "
                + "IDT_VECTORING_INFORMATION IDT_VECTORING_ERROR_CODE VM_EXIT_INSTRUCTION_LENGTH VM_EXIT_INSTRUCTION_INFORMATION"},
        {"0x4800", "GUEST_ES_LIMIT GUEST_CS_LIMIT GUEST_SS_LIMIT GUEST_DS_LIMIT GUEST_FS_LIMIT GUEST_GS_LIMIT GUEST_LDTR_LIMIT "
                + "GUEST_TR_LIMIT GUEST_GDTR_LIMIT GUEST_IDTR_LIMIT GUEST_ES_ACCESS_RIGHTS GUEST_CS_ACCESS_RIGHTS GUEST_SS_ACCESS_RIGHTS "
                + "GUEST_DS_ACCESS_RIGHTS GUEST_FS_ACCESS_RIGHTS GUEST_GS_ACCESS_RIGHTS GUEST_LDTR_ACCESS_RIGHTS GUEST_TR_ACCESS_RIGHTS "
                + "GUEST_INTERRUPTIBILITY_STATE GUEST_ACTIVITY_STATE GUEST_SMBASE GUEST_IA32_SYSENTER_CS"},
        {"0x482e", "VMX_PREEMPTION_TIMER_VALUE"},
        {"0x4c00", "HOST_IA32_SYSENTER_CS"},
        {"0x6000", "CR0_GUEST_HOST_MASK CR4_GUEST_HOST_MASK CR0_READ_SHADOW CR4_READ_SHADOW CR3_TARGET_VALUE0 CR3_TARGET_VALUE1 "
                + "CR3_TARGET_VALUE2 CR3_TARGET_VALUE3"},
        {"0x6400", "EXIT_QUALIFICATION"},
        {"0x640a", "GUEST_LINEAR_ADDRESS"},
        {"0x6800", "GUEST_CR0 GUEST_CR3 GUEST_CR4 GUEST_ES_BASE GUEST_CS_BASE GUEST_SS_BASE GUEST_DS_BASE GUEST_FS_BASE GUEST_GS_BASE "
                + "GUEST_LDTR_BASE GUEST_TR_BASE GUEST_GDTR_BASE GUEST_IDTR_BASE GUEST_DR7 GUEST_RSP GUEST_RIP GUEST_RFLAGS "
                + "GUEST_PENDING_DEBUG_EXCEPTIONS GUEST_IA32_SYSENTER_ESP GUEST_IA32_SYSENTER_EIP"},
        {"0x6c00", "HOST_CR0 HOST_CR3 HOST_CR4 HOST_FS_BASE HOST_GS_BASE HOST_TR_BASE HOST_GDTR_BASE HOST_IDTR_BASE "
                + "HOST_IA32_SYSENTER_ESP HOST_IA32_SYSENTER_EIP HOST_RSP HOST_RIP"},
    };

    @Test
    void encodingsAreThoseOfTheProcessor() {
        int fields = 1;
        assertEquals(VmcsField.VIRTUAL_PROCESSOR_IDENTIFIER, VmcsField.of(0));
        for (String[] group : GROUPS) {
            int encoding = Integer.decode(group[0]);
            for (String name : group[1].split(" ")) {
                VmcsField f = VmcsField.of(encoding);
                assertNotNull(f, name);
                assertEquals(name, f.name(), group[0]);
                encoding += 2;
                fields++;
            }
        }
        assertEquals(VmcsField.values().length, fields);
    }

    /** The processor underneath has PE whatever the guest has; the guest reads its own. */
    @Test
    void realModeHasPeUnderneath() {
        try (Rig rig = Rig.shadow()) {
            Vmcs m = rig.vcpu().vmcs;
            assertEquals(0, rig.s.cr0 & CR0_PE);
            assertEquals(CR0_PE, m.vmread(VmcsField.GUEST_CR0.encoding) & CR0_PE);
            assertEquals(0, m.vmread(VmcsField.CR0_READ_SHADOW.encoding) & CR0_PE);
        }
    }
}

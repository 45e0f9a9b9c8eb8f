/**
 * Real mode on a processor that has none in VMX non-root operation: as virtual-8086 code, by the emulator, or over an identity map under EPT.
 * Internal to the bundle; it knows the vCPU's state and memory, not the VMCS.
 */
package org.backplane.vmx.realmode;

# The ROM of the emulated machine: what stands at the CPU's first instruction. Goes to protected mode, reads SECTORS of the first disk
# to MEMORY and enters Linux there by its 32-bit boot protocol, the boot parameters at MEMORY and the kernel at KERNEL. Assembled as a
# flat binary of 64 KiB that ends at 4 GiB and is seen at 0xf0000 too.
        .code16
        .globl  _start
_start: cli
        lgdtl   %cs:gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $0x10, $0xf0000 + protected

        .code32
protected:
        movl    $0x18, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss

        movl    $MEMORY, %edi
        xorl    %ebx, %ebx              # the next sector
chunk:  movl    $0x1f2, %edx
        xorl    %eax, %eax              # 256 of them
        outb    %al, %dx
        movl    %ebx, %eax
        incl    %edx
        outb    %al, %dx
        shrl    $8, %eax
        incl    %edx
        outb    %al, %dx
        shrl    $8, %eax
        incl    %edx
        outb    %al, %dx
        movb    $0xe0, %al              # the first disk, by number of the sector
        incl    %edx
        outb    %al, %dx
        movb    $0x20, %al              # read
        incl    %edx
        outb    %al, %dx
        movl    $256, %esi
sector: inb     %dx, %al
        andb    $0x88, %al
        cmpb    $8, %al                 # not busy, and it has data
        jne     sector
        movl    $256, %ecx
        movb    $0xf0, %dl
        rep insw
        movb    $0xf7, %dl
        decl    %esi
        jnz     sector
        addl    $256, %ebx
        cmpl    $SECTORS, %ebx
        jb      chunk

        xorl    %ebx, %ebx
        xorl    %ebp, %ebp
        xorl    %edi, %edi
        movl    $MEMORY, %esi
        movl    $KERNEL, %eax
        jmp     *%eax

        .balign 8
gdt:    .quad   0, 0
        .quad   0x00cf9a000000ffff      # 0x10: code, 4 GiB from 0
        .quad   0x00cf92000000ffff      # 0x18: data, the same
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   0xf0000 + gdt

        .org    0xfff0                  # where a CPU begins
        .code16
        jmp     _start
        .org    0x10000

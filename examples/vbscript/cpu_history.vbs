' The processor time of the last minute, a bar for each second, of every
' virtual machine that runs.
Option Explicit

Dim objVS, objVM, arrHistory, intPercent, intSum

Set objVS = CreateObject("VirtualServer.Application")

For Each objVM In objVS.VirtualMachines
    If objVM.State = 5 Then ' vmVMState_Running
        arrHistory = objVM.Accountant.CPUUtilizationHistory
        WScript.Echo objVM.Name & ": " & objVM.Accountant.CPUUtilization & " % now"
        intSum = 0
        For Each intPercent In arrHistory
            WScript.Echo vbTab & intPercent & vbTab & String(intPercent \ 5, "#")
            intSum = intSum + intPercent
        Next
        WScript.Echo vbTab & "mean: " & FormatNumber(intSum / 60, 1) & " %"
    End If
Next

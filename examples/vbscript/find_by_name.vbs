' Finds a virtual machine by its name, in any letter case.
Option Explicit

Dim objVS, objVM, strName

If WScript.Arguments.Count <> 1 Then
    WScript.Echo "usage: " & WScript.ScriptName & " NAME"
    WScript.Quit 2
End If
strName = WScript.Arguments(0)

Set objVS = CreateObject("VirtualServer.Application")
Set objVM = objVS.FindVirtualMachine(strName)

If objVM Is Nothing Then
    WScript.Echo "There is no virtual machine " & strName
    WScript.Quit 1
End If

WScript.Echo "Name: " & objVM
WScript.Echo "Configuration ID: " & objVM.ConfigID
If objVM.State = 5 Then ' vmVMState_Running
    WScript.Echo "It is running"
Else
    WScript.Echo "Its state is " & objVM.State
End If
